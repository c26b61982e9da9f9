import { type Clock, withDeadline } from '../../../platform/time/index.ts'
import type { Caller } from './callers.ts'
import { errorOfAnswer, strangeAnswer, unreachable } from './errors.ts'
import { type ApiClient, CALL_DEADLINE } from './http-client.ts'

/** What an API server in this process answers. */
export interface LocalAnswer {
  readonly status: number
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  /** What its JSON says; undefined where it is none. An object is the server's own: nobody changes it. */
  readonly body: unknown
}

/** An API server in this process that is asked without a socket. */
export interface LocalServer {
  call(
    request: {
      readonly method: string
      readonly path: string
      readonly body?: string
      readonly contentType?: string
      readonly accept?: string
      /** If-None-Match. */
      readonly knownTag?: string
      /** Bearer token of somebody else: the request is that one's, or nobody's. */
      readonly token?: string
    },
    signal: AbortSignal,
  ): Promise<LocalAnswer>
  /** The events of a watch; or why there is none. */
  events(
    request: { readonly path: string; readonly token?: string },
    signal: AbortSignal,
  ): Promise<LocalAnswer | AsyncIterable<{ readonly type: string; readonly object: unknown }>>
}

/** The same requests as over HTTPS, with the same deadlines and errors. */
export function localApiClient(server: LocalServer, clock: Clock): ApiClient {
  const answer: ApiClient['answer'] = async (request, caller, signal) => {
    const { method, path, body, contentType = 'application/json', accept, knownTag } = request
    const wanted = { ...(accept === undefined ? {} : { accept }), ...(knownTag === undefined ? {} : { knownTag }) }
    try {
      return await withDeadline(clock, CALL_DEADLINE, signal, async (limited) => {
        const sent = body === undefined ? {} : { body: JSON.stringify(body), contentType }
        return await server.call({ method, path, ...sent, ...wanted, ...credentialOf(caller) }, limited)
      })
    } catch (error) {
      throw unreachable(error, signal, { method, path })
    }
  }
  return {
    answer,
    async call(request, signal) {
      const fields = { method: request.method, path: request.path }
      const given = await answer(request, 'cloud', signal)
      if (given.status >= 300 || given.status < 200) throw errorOfAnswer(given, fields)
      if (given.body === undefined) throw strangeAnswer({ ...fields, status: given.status })
      return given.body
    },
    async *events(path, signal, caller = 'cloud') {
      const fields = { method: 'GET', path }
      try {
        const watch = await server.events({ path, ...credentialOf(caller) }, signal)
        if ('status' in watch) throw errorOfAnswer(watch, fields)
        yield undefined
        yield* watch
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
  }
}

function credentialOf(caller: Caller): { readonly token?: string } {
  return caller === 'cloud' ? {} : { token: caller.token }
}
