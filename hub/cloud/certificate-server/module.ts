import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { type HttpHandler, readBody, sendText, serveHttps } from '../../../platform/http/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type CloudAuthority, nodeOfSubject } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'
import { type Kubernetes, NODES } from '../kubernetes/index.ts'
import { answerEdgeCertificate } from './edge-certificate.ts'

export interface CertificateServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

export interface CertificateServerPorts {
  readonly authority: AuthorityHolder
  readonly kubernetes: Kubernetes
  readonly log: Logger
  readonly metrics?: Metrics
}

/** A module that listens; the port is real after its start. */
export interface ListeningModule extends Module {
  readonly port: number
}

/** A CSR is a few hundred bytes; KubeEdge takes up to this. */
const LARGEST_BODY = 1024 * 1024

/** HTTPS endpoint from which edges get the CA and their certificates. Client certificates are optional there. */
export function createCertificateServerModule(
  options: CertificateServerOptions,
  ports: CertificateServerPorts,
): ListeningModule {
  let port = 0
  return {
    name: 'Certificates',
    get port() {
      return port
    },
    async start(scope) {
      const authority = ports.authority.current
      const { certificatePem, keyPem } = authority.serving
      const server = await serveHttps({
        at: options,
        log: ports.log,
        handler: createHandler(authority, ports),
        // An edge that joins has no certificate yet: who it is, is decided for each request.
        tls: { cert: certificatePem, key: keyPem, ca: authority.caPem, requestCert: true, rejectUnauthorized: false },
      })
      scope.use(server)
      port = server.port
      ports.log.info('Certificate endpoint listens', { host: options.host, port })
    },
  }
}

function createHandler(authority: CloudAuthority, ports: CertificateServerPorts): HttpHandler {
  const { kubernetes, log, metrics = silentMetrics } = ports
  const issued = metrics.counter({
    name: 'skerry_certificates_requests_total',
    help: 'Certificate requests of edges, by HTTP status.',
    labels: ['status'],
  })

  const edgeCertificate = async (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => {
    const csr = await readBody(request, LARGEST_BODY, signal)
    const { headers } = request
    const node = headers['nodename']?.toString()
    const extKeyUsages = headers['extkeyusages']?.toString()
    const { authorization } = headers
    const asked = { node, authorization, extKeyUsages, peer: peerOf(request), csr }
    const answer = await answerEdgeCertificate(asked, authority, signal)
    issued.add(1, { status: String(answer.status) })
    if (answer.status === 200) {
      log.info('Certificate issued', { node })
      sendBytes(response, answer.certificate)
    } else {
      log.warn('Certificate request refused', { node, status: answer.status, reason: answer.reason })
      sendPlain(response, answer.status, answer.reason)
    }
  }

  const nodeProbe = async (name: string, response: ServerResponse, signal: AbortSignal) => {
    if (name === '') sendPlain(response, 400, 'Node name is missing')
    else if (await kubernetes.get(NODES, { name }, signal)) sendPlain(response, 200, 'Node found')
    else sendPlain(response, 404, 'Node not found')
  }

  return async (request, response, signal) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    try {
      if (request.method !== 'GET') sendPlain(response, 405, 'only GET is served here')
      else if (path === '/ca.crt') sendBytes(response, authority.caCertificate)
      else if (path === '/edge.crt') await edgeCertificate(request, response, signal)
      else if (path.startsWith('/node/')) await nodeProbe(path.slice('/node/'.length), response, signal)
      else sendPlain(response, 404, 'not found')
    } catch (error) {
      if (signal.aborted || response.headersSent) throw error
      const tooLarge = error instanceof Error && 'code' in error && error.code === 'PLATFORM_BODY_TOO_LARGE'
      if (!tooLarge) log.warn('A request at the certificate endpoint failed', { path, error: describeError(error) })
      // What is left of a refused body is not read.
      response.setHeader('connection', 'close')
      if (tooLarge) sendPlain(response, 413, 'the request is larger than 1 MiB')
      else sendPlain(response, 500, 'the request could not be served now; try again')
    }
  }
}

function peerOf(request: IncomingMessage): string | 'foreign' | undefined {
  const { socket } = request
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerCertificate()
  if (certificate.raw === undefined) return undefined
  return (socket.authorized ? nodeOfSubject(certificate.subject) : undefined) ?? 'foreign'
}

function sendPlain(response: ServerResponse, status: number, text: string): void {
  sendText(response, status, 'text/plain; charset=utf-8', `${text}\n`)
}

function sendBytes(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length })
  response.end(bytes)
}
