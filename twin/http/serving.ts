import { countRefusals, type HttpServer, serveHttp } from '../../platform/http/index.ts'
import type { Scope } from '../../platform/lifecycle/index.ts'
import { type AnswerOptions, answer } from './answer.ts'
import type { Door } from './caller.ts'
import type { LocalApiOptions } from './options.ts'
import { PodGuests } from './pod-guests.ts'
import { Streams } from './streams.ts'

/** Listens at a door. Who calls `listen` closes the server. */
export type Listen = (door: Door, at: { readonly host: string; readonly port: number }) => Promise<HttpServer>

/** Connections of one door beside those of streams. */
const MORE_CONNECTIONS = 192
const METHODS = new Set(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'OPTIONS'])

/** What all doors have in common, until the scope ends: streams end with its signal. */
export function openServing(options: LocalApiOptions, scope: Scope): Listen {
  const { log, clock, metrics, maxStreams, pods, access } = options
  const requests = metrics.counter({
    name: 'skerry_http_requests_total',
    help: 'Requests to the local HTTP API, by method and code.',
    labels: ['method', 'code'],
  })
  const refused = metrics.counter({
    name: 'skerry_local_api_refused_total',
    help: 'Connections, requests and streams at the local HTTP API beyond what one pod may have, or beyond all streams.',
    labels: ['reason'],
  })
  const onRefused = (reason: 'connections' | 'requests' | 'streams') => refused.add(1, { reason })
  const streams = {
    near: new Streams(maxStreams, () => onRefused('streams')),
    pods: new Streams(maxStreams, () => onRefused('streams')),
  }
  scope.use(
    metrics
      .gauge({ name: 'skerry_http_streams', help: 'Streams of events of the local HTTP API.' })
      .follow(() => streams.near.count + streams.pods.count),
  )
  const guests = new PodGuests(pods, onRefused)
  scope.use(access.follow((user, change) => guests.end(user, change)))
  return (door, at) => {
    const answering: AnswerOptions = { ...options, door, streams: streams[door], guests }
    const ofAddress = { maxConnections: 2 * pods.maxConnections, onRefused: () => onRefused('connections') }
    return serveHttp({
      ...{ at, clock, log, maxConnections: maxStreams + MORE_CONNECTIONS },
      ...(door === 'pods' ? { ofAddress } : {}),
      onRefused: countRefusals(metrics, door === 'pods' ? 'local-api-pods' : 'local-api'),
      handler: async (request, response, signal) => {
        await answer(answering, { request, response, signal, stopping: scope.signal })
        const method = request.method ?? ''
        requests.add(1, { method: METHODS.has(method) ? method : 'other', code: String(response.statusCode) })
      },
    })
  }
}
