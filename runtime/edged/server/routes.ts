import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendText } from '../../../platform/http/index.ts'
import { KubeletRefusal, sendRefusal } from './answers.ts'
import { kubeletPath } from './kubelet-path.ts'
import { serveLogs } from './logs/serve-logs.ts'
import type { ServerPorts } from './server-ports.ts'

/** One request as a kubelet answers it. */
export async function answer(
  ports: ServerPorts,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
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
  if (asked?.what === 'logs' && isRead)
    return serveLogs(ports, { ...asked, query: new URLSearchParams(search) }, response, signal)
  if (asked && asked.what !== 'logs') throw new KubeletRefusal(400, 'Upgrade request required')
  throw new KubeletRefusal(404, '404 page not found')
}
