import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HttpHandler, sendJson, sendText } from '../../../platform/http/index.ts'
import { KubeletRefusal, sendRefusal } from './answers.ts'
import { kubeletPath } from './kubelet-path.ts'
import { serveLogs } from './logs/serve-logs.ts'
import { podList } from './pod-list.ts'
import { restartPath, serveRestart } from './restart.ts'
import type { ServerPorts } from './server-ports.ts'
import { serveCadvisorMetrics, serveResourceMetrics, serveSummary } from './stats/serve-stats.ts'
import { UsageMeter } from './stats/usage.ts'

type Answer = (response: ServerResponse) => Promise<void> | void

/** Each has a file open, and a follower a watch. */
const MOST_LOGS = 256
const TEXT = 'text/plain; charset=utf-8'
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/** Answers requests as a kubelet does. */
export function createRoutes(ports: ServerPorts): HttpHandler {
  const { bus, counts, nodeName, metrics } = ports
  const meter = new UsageMeter(ports)
  const stats = () => ({ meter, nodeName, pods: ports.pods() })
  const places = new Map<string, Answer>([
    ['/healthz', (response) => sendText(response, 200, TEXT, 'ok')],
    ['/pods', (response) => sendJson(response, 200, podList(ports.pods()))],
    ['/stats/summary', (response) => serveSummary(stats(), response)],
    ['/metrics', async (response) => sendText(response, 200, PROMETHEUS, await metrics.text())],
    ['/metrics/resource', (response) => serveResourceMetrics(stats(), response)],
    ['/metrics/cadvisor', (response) => serveCadvisorMetrics(stats(), response)],
  ])

  const logs = async (asked: Parameters<typeof serveLogs>[1], response: ServerResponse, signal: AbortSignal) => {
    if (counts.logs() >= MOST_LOGS) throw new KubeletRefusal(429, `${MOST_LOGS} logs of this node are read already`)
    using _reading = counts.begin('logs')
    await serveLogs(ports, asked, response, signal)
  }

  const route = async ({ method, url = '' }: IncomingMessage, response: ServerResponse, signal: AbortSignal) => {
    const [path = '', search = ''] = url.split('?', 2)
    const isRead = method === 'GET' || method === 'HEAD'
    const place = isRead ? places.get(path.replace(/(?<=.)\/$/, '')) : undefined
    const asked = kubeletPath(path)
    const restarted = method === 'POST' ? restartPath(path) : undefined
    if (place) await place(response)
    else if (restarted) await serveRestart(bus, restarted, response, signal)
    else if (asked?.what === 'logs' && isRead)
      await logs({ ...asked, query: new URLSearchParams(search) }, response, signal)
    else if (asked && asked.what !== 'logs') throw new KubeletRefusal(400, 'Upgrade request required')
    else throw new KubeletRefusal(404, '404 page not found')
  }

  return async (request, response, signal) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const what = kubeletPath(path)?.what ?? (places.has(path) ? path : restartPath(path) ? 'restart' : 'other')
    response.once('close', () => counts.answered(what, response.statusCode))
    try {
      await route(request, response, signal)
    } catch (error) {
      if (!(error instanceof KubeletRefusal) || response.headersSent) throw error
      sendRefusal(response, error)
    }
  }
}
