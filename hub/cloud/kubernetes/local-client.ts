import { type Clock, withDeadline } from '../../../platform/time/index.ts'
import { errorOfStatus, strangeAnswer } from './errors.ts'
import { parseJson } from './guards.ts'
import { type ApiClient, CALL_DEADLINE, retryAfter, unreachable } from './http-client.ts'

/** What an API server in this process answers. */
export interface LocalAnswer {
  readonly status: number
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
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
  /** A watch, line by line; or why there is none. */
  lines(path: string, signal: AbortSignal): Promise<LocalAnswer | AsyncIterable<string>>
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
          const found = parseJson(answer.text)
          if (answer.status >= 300 || answer.status < 200) throw errorOf(answer, fields)
          if (found === undefined && answer.text !== '') throw strangeAnswer({ ...fields, status: answer.status })
          return found ?? {}
        })
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
    async *lines(path, signal) {
      const fields = { method: 'GET', path }
      try {
        const watch = await server.lines(path, signal)
        if ('status' in watch) throw errorOf(watch, fields)
        yield ''
        // Each comes with the end of its line.
        for await (const line of watch) yield line.trimEnd()
      } catch (error) {
        throw unreachable(error, signal, fields)
      }
    },
  }
}

function errorOf(answer: LocalAnswer, fields: object) {
  return errorOfStatus(answer.status, parseJson(answer.text), { ...fields, ...retryAfter(answer) })
}
