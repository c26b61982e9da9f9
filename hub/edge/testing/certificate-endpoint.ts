import { createServer } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import { generateKeyPair, pemOf } from '../../../platform/certificates/index.ts'
import { type Authority, parseCsr } from '../../../platform/certificates/issuing/index.ts'
import { daysFromNow, testIdentity } from '../../../platform/certificates/testing/index.ts'

export interface EndpointCall {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** DER of the CSR. */
  readonly body: Buffer
  /** Common name of the client's certificate. */
  readonly client: string | undefined
}

export interface CertificateEndpoint {
  readonly address: string
  readonly calls: readonly EndpointCall[]
  /** What `/edge.crt` answers; default: signs. */
  answer: (call: EndpointCall) => Promise<{ readonly status: number; readonly body: Uint8Array | string }>
}

export interface EndpointOptions {
  /** Lifetime of what it signs. */
  readonly days?: number
  readonly shownCa?: Authority
  readonly servedBy?: Authority
  /** The only name in its serving certificate; default: those of loopback. */
  readonly host?: string
  /** Days until that serving certificate is valid. */
  readonly validIn?: number
}

/** A certificate endpoint that signs whatever is asked and writes down who asked what. */
export async function startEndpoint(
  t: { after(release: () => Promise<void>): void },
  authority: Authority,
  options: EndpointOptions = {},
): Promise<CertificateEndpoint> {
  const { days = 365, shownCa = authority, servedBy = authority } = options
  const calls: EndpointCall[] = []
  const endpoint: { answer: CertificateEndpoint['answer'] } = {
    answer: async (call) => ({ status: 200, body: await sign(authority, call.body, days) }),
  }
  const identity = await (options.host
    ? namedOtherwise(servedBy, options.host, options.validIn ?? 0)
    : testIdentity(servedBy, { commonName: 'cloud' }, ['serverAuth']))
  const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: false })
  server.on('request', async (request, response) => {
    const body = await buffer(request)
    const { socket } = request
    const client = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined
    const call = { path: request.url ?? '', headers: request.headers, body, client: client?.toString() }
    calls.push(call)
    if (call.path === '/ca.crt') return response.end(shownCa.certificateDer)
    const answer = await endpoint.answer(call)
    return response.writeHead(answer.status).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('the endpoint does not listen')
  return Object.assign(endpoint, { address: `127.0.0.1:${at.port}`, calls })
}

async function namedOtherwise(authority: Authority, host: string, validIn: number) {
  const keyPair = await generateKeyPair()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName: 'cloud' },
    dnsNames: [host],
    usages: ['serverAuth'],
    notBefore: daysFromNow(validIn),
    notAfter: daysFromNow(validIn + 1),
  })
  return { key: keyPair.privateKeyPem, cert: pemOf(certificate, 'CERTIFICATE'), ca: authority.certificatePem }
}

async function sign(authority: Authority, csr: Uint8Array, days: number): Promise<Uint8Array> {
  const { subject } = await parseCsr(csr)
  const notBefore = new Date(Date.now())
  const notAfter = new Date(notBefore.getTime() + days * 86_400_000)
  return authority.issue({ csr, subject, usages: ['clientAuth'], notBefore, notAfter })
}
