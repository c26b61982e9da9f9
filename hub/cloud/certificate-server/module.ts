import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { countRefusals, type HttpHandler, readBody, sendText, serveHttps } from '../../../platform/http/index.ts'
import { describeError, hasCode, type Module } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'
import type { CloudAuthority, ServingCertificate } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import type { NodeCertificate } from '../authority/node-certificate.ts'
import type { AnyObject, Informer } from '../kubernetes/index.ts'
import type { NodeRegister } from '../node-register/node-register.ts'
import { ConnectionBounds } from '../peers/connection-bounds.ts'
import { peerName } from '../peers/peer-name.ts'
import { answerEdgeCertificate } from './edge-certificate.ts'
import { FailureBounds } from './failure-bounds.ts'

export interface CertificateServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** A certificate may be renewed so long after its end. */
  readonly grace: Duration
}

export interface CertificateServerPorts {
  readonly authority: AuthorityHolder
  readonly register: NodeRegister
  readonly nodes: Informer<AnyObject>
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

/** A module that listens; the port is real after its start. */
export interface ListeningModule extends Module {
  readonly port: number
}

/** A CSR is a few hundred bytes; KubeEdge takes up to this. */
const LARGEST_BODY = 1024 * 1024
/** For handshake and head of a request, and for the whole of it. */
const HEAD_WITHIN = seconds(10)
const REQUEST_WITHIN = seconds(20)
const MOST_CONNECTIONS = 4096
const WAITING = { perAddress: 256, altogether: 1024 }
const FAILURES = { atOnce: 20, waiting: 32 }

/** HTTPS endpoint from which edges get the CA and their certificates. Client certificates are optional there. */
export function createCertificateServerModule(
  options: CertificateServerOptions,
  ports: CertificateServerPorts,
): ListeningModule {
  const { metrics = silentMetrics } = ports
  let port = 0
  const closed = metrics.counter({
    name: 'skerry_certificates_closed_total',
    help: 'Connections to the certificate endpoint that were closed without an answer, by cause.',
    labels: ['cause'],
  })
  const bounds = new ConnectionBounds({ ...WAITING, onClosed: () => closed.add(1, { cause: 'slow' }) })
  return {
    name: 'Certificates',
    get port() {
      return port
    },
    async start(scope) {
      const authority = ports.authority.current
      const contextOf = ({ certificatePem, keyPem }: ServingCertificate) => {
        return { cert: certificatePem, key: keyPem, ca: authority.caPem }
      }
      const onFailed = () => closed.add(1, { cause: 'failures' })
      const server = await serveHttps({
        at: options,
        log: ports.log,
        clock: ports.clock,
        onRefused: countRefusals(metrics, 'certificates'),
        handler: createHandler(authority, { ...ports, grace: options.grace, bounds, onFailed }),
        headWithin: HEAD_WITHIN,
        requestWithin: REQUEST_WITHIN,
        maxConnections: MOST_CONNECTIONS,
        // An edge that joins has no certificate yet, one that was away has an old one: who it is, is decided for each request.
        tls: { ...contextOf(authority.serving), requestCert: true, rejectUnauthorized: false },
      })
      scope.use(server)
      scope.use(authority.onServing((serving) => server.renew(contextOf(serving))))
      server.server.on('connection', (socket: Socket) => {
        const peer = peerName(socket)
        bounds.opened(peer, socket.remoteAddress, socket)
        socket.once('close', () => bounds.settled(peer))
      })
      port = server.port
      ports.log.info('Certificate endpoint listens', { host: options.host, port })
    },
  }
}

interface HandlerPorts extends CertificateServerPorts {
  readonly grace: Duration
  readonly bounds: ConnectionBounds
  onFailed(): void
}

function createHandler(authority: CloudAuthority, ports: HandlerPorts): HttpHandler {
  const { nodes, metrics = silentMetrics } = ports
  // Anybody who reaches the port can cause its lines.
  const log = boundedLogger(ports.log, ports)
  const settled = (socket: Socket) => ports.bounds.settled(peerName(socket))
  const failures = new FailureBounds({ ...FAILURES, clock: ports.clock })
  const issued = metrics.counter({
    name: 'skerry_certificates_requests_total',
    help: 'Certificate requests of edges, by HTTP status.',
    labels: ['status'],
  })

  const edgeCertificate = async (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => {
    const { headers, socket } = request
    if (Number(headers['content-length'] ?? 0) > LARGEST_BODY) return sendPlain(response, 413, TOO_LARGE)
    const node = headers['nodename']?.toString()
    const extKeyUsages = headers['extkeyusages']?.toString()
    const { authorization } = headers
    const csr = () => {
      settled(socket)
      return readBody(request, LARGEST_BODY, signal)
    }
    const asked = { node, authorization, extKeyUsages, peer: peerOf(request, authority), csr }
    const answer = await answerEdgeCertificate(asked, { ...ports, authority }, signal)
    settled(socket)
    issued.add(1, { status: String(answer.status) })
    if (answer.status === 200) {
      log.info('Certificate issued', { node })
      return sendBytes(response, answer.certificate)
    }
    const { status, reason } = answer
    log.warn('Certificate request refused', { node: node?.slice(0, 253), from: socket.remoteAddress, status, reason })
    if (await failures.pause(socket.remoteAddress, signal)) return sendPlain(response, status, reason)
    ports.onFailed()
    socket.destroy()
  }

  /** From memory: anybody may ask, and must not make the cloud ask the API. */
  const nodeProbe = (name: string, response: ServerResponse) => {
    if (name === '') sendPlain(response, 400, 'Node name is missing')
    else if (nodes.get({ name })) sendPlain(response, 200, 'Node found')
    else sendPlain(response, 404, 'Node not found')
  }

  return async (request, response, signal) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    // One request is all that an edge has, and an idle connection costs as much as a slow one.
    response.setHeader('connection', 'close')
    if (path !== '/edge.crt') settled(request.socket)
    try {
      if (request.method !== 'GET') sendPlain(response, 405, 'only GET is served here')
      else if (path === '/ca.crt') sendBytes(response, authority.caCertificate)
      else if (path === '/edge.crt') await edgeCertificate(request, response, signal)
      else if (path.startsWith('/node/')) nodeProbe(path.slice('/node/'.length), response)
      else sendPlain(response, 404, 'not found')
    } catch (error) {
      if (signal.aborted || response.headersSent) throw error
      const tooLarge = hasCode(error, 'PLATFORM_BODY_TOO_LARGE')
      if (!tooLarge) log.warn('A request at the certificate endpoint failed', { path, error: describeError(error) })
      if (tooLarge) sendPlain(response, 413, TOO_LARGE)
      else sendPlain(response, 500, 'the request could not be served now; try again')
    }
  }
}

const TOO_LARGE = 'the request is larger than 1 MiB'

/** The handshake has proved that the peer owns the key, whatever is to be thought of the certificate. */
function peerOf({ socket }: IncomingMessage, authority: CloudAuthority): NodeCertificate | 'foreign' | undefined {
  const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return shown && (authority.nodeCertificate(shown) ?? 'foreign')
}

function sendPlain(response: ServerResponse, status: number, text: string): void {
  sendText(response, status, 'text/plain; charset=utf-8', `${text}\n`)
}

function sendBytes(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length })
  response.end(bytes)
}
