import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bus } from '../../platform/bus/index.ts'
import { readBody } from '../../platform/http/index.ts'
import type { Clock } from '../../platform/time/index.ts'
import { plainTwin } from '../model/plain.ts'
import type { Caller } from './caller.ts'
import { type Body, callMethod, changeDesired, oneValue, severalValues, timeoutOf } from './changes.ts'
import { listDevices, MOST_DEVICES, methodsOf, propertyOfDevice, twinOf } from './devices.ts'
import { openApi } from './openapi.ts'
import { problem } from './problem.ts'
import { streamTwins } from './stream.ts'

/** A request whose caller is known. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  /** What stands in the path for each name in braces. */
  readonly named: Readonly<Record<string, string>>
  readonly caller: Caller
  /** Looks at the caller again. */
  again(): Promise<Caller>
  readonly signal: AbortSignal
  readonly stopping: AbortSignal
  /** Throws a ProblemError where there are too many; disposed with the stream. */
  enterStream(): Disposable
}

export interface RouteOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly maxBodyBytes: number
  readonly version: string
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST'
  /** Segments in braces stand for any text. */
  readonly path: string
  /** Answers with what becomes the JSON of the answer; undefined where the response was written. */
  serve(options: RouteOptions, call: Call): Promise<unknown>
}

/** All that is served; `openapi.ts` describes it. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/openapi.json', serve: async ({ version }) => openApi(version) },
  {
    method: 'GET',
    path: '/v1/devices',
    async serve({ bus }, { query, caller }) {
      const namespace = query.get('namespace')
      const after = query.get('continue')
      return listDevices(bus, caller.rights, {
        limit: limitOf(query.get('limit')),
        ...(namespace === null ? {} : { namespace }),
        ...(after === null ? {} : { after }),
      })
    },
  },
  {
    method: 'GET',
    path: '/v1/devices/{namespace}/{name}',
    serve: async ({ bus }, call) => plainTwin(twinOf(bus, call.caller.rights, idOf(call))),
  },
  {
    method: 'GET',
    path: '/v1/devices/{namespace}/{name}/properties/{property}',
    serve: async ({ bus }, call) => propertyOfDevice(bus, call.caller.rights, idOf(call), inPath(call, 'property')),
  },
  {
    method: 'PUT',
    path: '/v1/devices/{namespace}/{name}/properties/{property}/desired',
    async serve(options, call) {
      const [id, name] = [idOf(call), inPath(call, 'property')]
      const values = oneValue(options.bus, id, name, await bodyOf(options, call))
      return changeDesired(options.bus, call.caller, id, values, call.signal)
    },
  },
  {
    method: 'PATCH',
    path: '/v1/devices/{namespace}/{name}/desired',
    async serve(options, call) {
      const values = severalValues(await bodyOf(options, call))
      return changeDesired(options.bus, call.caller, idOf(call), values, call.signal)
    },
  },
  {
    method: 'GET',
    path: '/v1/devices/{namespace}/{name}/methods',
    serve: async ({ bus }, call) => ({ items: methodsOf(bus, call.caller.rights, idOf(call)) }),
  },
  {
    method: 'POST',
    path: '/v1/devices/{namespace}/{name}/methods/{method}',
    async serve(options, call) {
      const timeout = timeoutOf(call.query.get('timeout'))
      const body = await bodyOf(options, call)
      const asked = { id: idOf(call), method: inPath(call, 'method'), timeout, body }
      return callMethod(options.bus, call.caller, asked, call.signal)
    },
  },
  {
    method: 'GET',
    path: '/v1/events',
    async serve({ bus, clock }, { query, response, again, enterStream, signal, stopping }) {
      const namespace = query.get('namespace')
      const devices = query.getAll('device')
      const wanted = {
        ...(namespace === null ? {} : { namespace }),
        ...(devices.length === 0 ? {} : { devices: new Set(devices) }),
      }
      using _place = enterStream()
      const rights = async () => (await again()).rights
      await streamTwins({ bus, clock, rights, wanted }, response, AbortSignal.any([signal, stopping]))
      return undefined
    },
  },
]

function idOf(call: Call): string {
  return `${inPath(call, 'namespace')}/${inPath(call, 'name')}`
}

function inPath({ named }: Call, name: string): string {
  return named[name] ?? ''
}

function limitOf(text: string | null): number {
  const limit = text === null ? MOST_DEVICES : Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_DEVICES) return limit
  throw problem(400, `limit is not a number from 1 to ${MOST_DEVICES}`)
}

async function bodyOf({ maxBodyBytes }: RouteOptions, { request, signal }: Call): Promise<Body> {
  const coding = request.headers['content-encoding'] ?? 'identity'
  if (coding !== 'identity') throw problem(415, `the content coding ${coding} is not served`)
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  return { type: type.trim().toLowerCase(), bytes: await readBody(request, maxBodyBytes, signal) }
}
