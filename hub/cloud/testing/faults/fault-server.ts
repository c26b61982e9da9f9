import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { generateKeyPair, pemOf } from '../../../../platform/certificates/index.ts'
import { type Authority, createAuthority } from '../../../../platform/certificates/issuing/index.ts'
import { minutes, systemClock } from '../../../../platform/time/index.ts'
import type { ServedApi } from '../../../apiserver/testing/serve.ts'

/** What happens to a request; `pass` hands it on to the API. */
export type Fault = (request: IncomingMessage, response: ServerResponse, pass: () => void) => void

export interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  /** Common name of the certificate that the client showed. */
  readonly client: string | undefined
}

/** An HTTPS server before a real API, which does to requests what a bad day does. Whoever comes through it is an administrator. */
export class FaultServer implements AsyncDisposable {
  readonly #api: ServedApi
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly seen: Seen[] = []
  authority: Authority
  fault: Fault | undefined
  /** Requests that were taken and get no answer now. */
  held = 0
  #port = 0

  private constructor(api: ServedApi, authority: Authority, server: Server) {
    this.#api = api
    this.authority = authority
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
    })
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#take(request, response))
  }

  static async start(api: ServedApi): Promise<FaultServer> {
    const authority = await newAuthority()
    const tls = { ...(await identityOf(authority)), requestCert: true, rejectUnauthorized: false }
    const faults = new FaultServer(api, authority, createServer(tls))
    await faults.open()
    return faults
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** Listens, always at the same port. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address: AddressInfo | string | null = this.#server.address()
    this.#port = typeof address === 'object' && address ? address.port : 0
  }

  /** From now on connections are refused, and those that stand are cut. */
  async shut(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy()
  }

  /** From the next handshake on. */
  async renew(authority: Authority = this.authority, notBefore?: Date): Promise<void> {
    this.authority = authority
    this.#server.setSecureContext(await identityOf(authority, notBefore))
  }

  /** As of a person with this token, or what else stands in `user`. */
  kubeconfig(user: object = { token: 'good' }, ca = this.authority.certificatePem): string {
    const cluster = { server: this.url, 'certificate-authority-data': Buffer.from(ca).toString('base64') }
    return JSON.stringify({
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.shut()
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request
    const certificate = tlsOf(request.socket)?.getPeerCertificate()
    const name: unknown = certificate?.subject?.CN
    const client = typeof name === 'string' ? name : undefined
    this.seen.push({ method, path: url, authorization: headers.authorization, client })
    response.on('error', () => undefined)
    const pass = () => this.#pass(request, response)
    if (this.fault) this.fault(request, response, pass)
    else pass()
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { ca, admin } = this.#api.pki
    const { host: _host, authorization: _authorization, ...headers } = request.headers
    const given = { method: request.method, headers, ca, cert: admin.certificate, key: admin.privateKey }
    const outgoing = httpsRequest(`${this.#api.url}${request.url}`, given, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    request.pipe(outgoing)
  }
}

/** For names of this machine. */
export async function newAuthority(): Promise<Authority> {
  return createAuthority({ commonName: 'faults', validity: minutes(60 * 24), clock: systemClock })
}

async function identityOf(authority: Authority, notBefore = new Date(systemClock.now())) {
  const keyPair = await generateKeyPair()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName: 'faults' },
    usages: ['serverAuth'],
    ipAddresses: ['127.0.0.1'],
    notBefore,
    notAfter: new Date(systemClock.now() + 3_600_000),
  })
  return { cert: pemOf(certificate, 'CERTIFICATE'), key: keyPair.privateKeyPem }
}

/** PEM of a client of this name. */
export async function clientOf(authority: Authority, commonName: string) {
  const keyPair = await generateKeyPair()
  const now = systemClock.now()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName },
    usages: ['clientAuth'],
    notBefore: new Date(now),
    notAfter: new Date(now + 3_600_000),
  })
  return { cert: pemOf(certificate, 'CERTIFICATE'), key: keyPair.privateKeyPem }
}

function tlsOf(socket: Socket): TLSSocket | undefined {
  return 'getPeerCertificate' in socket && isTls(socket) ? socket : undefined
}

function isTls(socket: Socket): socket is TLSSocket {
  return 'getPeerCertificate' in socket
}
