import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { TLSSocket } from 'node:tls'
import { listen } from '../../../platform/http/index.ts'
import { type PlayedStreams, playStreams } from '../../streaming/testing/played-streams.ts'
import { ask } from './request.ts'
import type { Cleanup, ServedApi } from './serve.ts'

export interface ServedKubelet {
  readonly server: Server
  readonly port: number
  /** Paths with queries that were asked for, and who asked. */
  readonly asked: { readonly url: string; readonly user: string }[]
}

export interface PlayedKubelet extends PlayedStreams {
  /** PEM of what it shows; default: a certificate of the API's authority. */
  readonly shows?: { readonly cert: string; readonly key: string }
  /** Answers what is no stream. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void
}

/** A kubelet of a node as an API server reaches it: HTTPS, a client certificate of the API's authority is asked for. */
export async function serveKubelet(t: Cleanup, api: ServedApi, played: PlayedKubelet): Promise<ServedKubelet> {
  const { certificate: cert, privateKey: key } = api.pki.serving
  const asked: { readonly url: string; readonly user: string }[] = []
  const server = createServer({ ...(played.shows ?? { cert, key }), ca: api.pki.ca, requestCert: true })
  const note = ({ url = '', socket }: IncomingMessage) => {
    const user = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined
    asked.push({ url, user: String(user ?? '') })
  }
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    note(incoming)
    if (played.answer) played.answer(incoming, response)
    else response.writeHead(404).end('404 page not found\n')
  })
  server.on('upgrade', note)
  playStreams(server, played)
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { server, asked, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** A node whose kubelet is at that port, with a pod on it that has these containers. */
export async function podAtKubelet(
  api: ServedApi,
  port: number,
  { name = 'web', node = 'edge', containers = ['main'] } = {},
): Promise<void> {
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    lastHeartbeatTime: null,
    lastTransitionTime: null,
  }
  const put = async (method: string, path: string, body: object) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const { status, text } = await ask(api, { method, path, body, headers: { 'content-type': type } })
    if (status >= 300 && status !== 409) throw new Error(`${method} ${path}: ${text}`)
  }
  await put('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } })
  await put('PATCH', `/api/v1/nodes/${node}/status`, {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [ready],
    },
  })
  const pods = '/api/v1/namespaces/default/pods'
  await put('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: node, containers: containers.map((each) => ({ name: each, image: 'busybox' })) },
  })
  await put('PATCH', `${pods}/${name}/status`, {
    status: { phase: 'Running', podIP: '10.233.64.5', podIPs: [{ ip: '10.233.64.5' }] },
  })
}
