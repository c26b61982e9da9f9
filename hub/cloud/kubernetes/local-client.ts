import { type Clock, withDeadline } from '../../../platform/time/index.ts'
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
    },
    signal: AbortSignal,
  ): Promise<LocalAnswer>
  /** The events of a watch; or why there is none. */
  events(
    path: string,
    signal: AbortSignal,
  ): Promise<LocalAnswer | AsyncIterable<{ readonly type: string; readonly object: unknown }>>
}

/** The same requests as over HTTPS, with the same deadlines and errors. */
export function localApiClient(server: LocalServer, clock: Clock): ApiClient {
  return {
    async call({ method, path, body, contentType = 'application/json' }, signal) {
      const fields = { method, path }
      try {
        return await withDeadline(clock, CALL_DEADLINE, signal, async (limited) => {
          const sent = body === undefined ? {} : { body: JSON.stringify(body), contentType }
          const answer = await server.call({ method, path, ...sent }, limited)
          if (answer.status >= 300 || answer.status < 200) throw errorOfAnswer(answer, fields)
          if (answer.body === undefined) throw strangeAnswer({ ...fields, status: answer.status })
          return answer.body
        })
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
    async *events(path, signal) {
      const fields = { method: 'GET', path }
      try {
        const watch = await server.events(path, signal)
        if ('status' in watch) throw errorOfAnswer(watch, fields)
        yield undefined
        yield* watch
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
  }
}
