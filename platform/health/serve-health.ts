import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendText } from '../http/answer.ts'
import { countRefusals } from '../http/refusals.ts'
import { type HttpServer, serveHttp } from '../http/serve.ts'
import type { ModuleState } from '../lifecycle/module-states.ts'
import { type Logger, silentLogger } from '../log/logger.ts'
import { type Clock, seconds, systemClock } from '../time/index.ts'
import type { Metrics } from './metrics.ts'

export interface ServeHealthOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  readonly metrics: Metrics
  readonly states: () => readonly ModuleState[]
  /** Default: there are modules, and all are ready. */
  readonly ready?: () => boolean
  readonly log?: Logger
  readonly clock?: Clock
}

const TEXT = 'text/plain; charset=utf-8'

/**
 * `/metrics` (Prometheus text), `/healthz` (this process answers), `/readyz` (200 when all modules are ready, else 503;
 * `?verbose` lists them). Rejects with RefusedError PLATFORM_PORT_TAKEN.
 */
export function serveHealth(options: ServeHealthOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port, log = silentLogger, clock = systemClock } = options
  return serveHttp({
    at: { host, port },
    log,
    clock,
    headWithin: seconds(5),
    requestWithin: seconds(10),
    maxConnections: 100,
    onRefused: countRefusals(options.metrics, 'health'),
    handler: (request, response) => answer(options, request, response),
  })
}

async function answer(options: ServeHealthOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return sendText(response, 405, TEXT, 'only GET and HEAD\n')
  }
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  if (path === '/metrics') {
    return sendText(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metrics.text())
  }
  if (path === '/healthz') return sendText(response, 200, TEXT, 'ok\n')
  if (path !== '/readyz') return sendText(response, 404, TEXT, 'see /metrics, /healthz and /readyz\n')
  const states = options.states()
  const ready = options.ready?.() ?? (states.length > 0 && states.every(({ state }) => state === 'ready'))
  const list = new URLSearchParams(query).has('verbose') ? states.map(line).join('') : ''
  return sendText(response, ready ? 200 : 503, TEXT, `${list}${ready ? 'ready' : 'not ready'}\n`)
}

/** `[+] twin ready` or `[-] hub restarting (pending: restart in 250 ms): connection refused` */
function line({ name, state, pending, detail }: ModuleState): string {
  const waits = pending === undefined ? '' : ` (pending: ${pending})`
  const why = detail === undefined ? '' : `: ${detail}`
  return `${state === 'ready' ? '[+]' : '[-]'} ${name} ${state}${waits}${why}\n`
}
