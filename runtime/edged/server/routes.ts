import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendText } from '../../../platform/http/index.ts'
import { KubeletRefusal, sendRefusal } from './answers.ts'
import { kubeletPath } from './kubelet-path.ts'
import { serveLogs } from './logs/serve-logs.ts'
import type { ServerPorts } from './server-ports.ts'

/** Each has a file open, and a follower a watch. */
const MOST_LOGS = 256
/** Few words, for counting. */
const PLACES = new Set(['/healthz', '/pods', '/stats/summary', '/metrics', '/metrics/resource', '/metrics/cadvisor'])

/** One request as a kubelet answers it. */
export async function answer(
  ports: ServerPorts,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { counts } = ports
  const what = whatOf(request)
  response.once('close', () => counts.answered(what, response.statusCode))
  try {
    await route(ports, request, response, signal)
  } catch (error) {
    if (!(error instanceof KubeletRefusal) || response.headersSent) throw error
    sendRefusal(response, error)
  }
}

async function route(
  ports: ServerPorts,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const [path = '', search = ''] = url.split('?', 2)
  const asked = kubeletPath(path)
  const isRead = method === 'GET' || method === 'HEAD'
  if (path === '/healthz' && isRead) return sendText(response, 200, 'text/plain; charset=utf-8', 'ok')
  if (asked?.what === 'logs' && isRead) {
    const { counts } = ports
    if (counts.logs() >= MOST_LOGS)
      throw new KubeletRefusal(429, `${MOST_LOGS} logs of this node are being read already`)
    using _reading = counts.begin('logs')
    return await serveLogs(ports, { ...asked, query: new URLSearchParams(search) }, response, signal)
  }
  if (asked && asked.what !== 'logs') throw new KubeletRefusal(400, 'Upgrade request required')
  throw new KubeletRefusal(404, '404 page not found')
}

function whatOf({ url = '' }: IncomingMessage): string {
  const [path = ''] = url.split('?', 1)
  return kubeletPath(path)?.what ?? (PLACES.has(path) ? path : 'other')
}
