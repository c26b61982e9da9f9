import { chmod } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { hasCode } from '../lifecycle/error-code.ts'
import { ConfigError, ConflictError, RefusedError, type SkerryError, UnavailableError } from '../lifecycle/errors.ts'
import { type Logger, silentLogger } from '../log/logger.ts'
import { type Clock, DeadlineError, type Duration, systemClock, withDeadline } from '../time/index.ts'
import { sendJson } from './answer.ts'
import { readBody } from './body.ts'
import { serveHttp } from './serve.ts'
import { findSocketPath, prepareSocketPath, removeSocketPath } from './socket-path.ts'

/** `GET /status` to what answers it. The body is parsed JSON, undefined when empty; the answer is sent as JSON. */
export type ControlRoutes = Readonly<Record<string, (body: unknown, signal: AbortSignal) => Promise<unknown>>>

export interface ServeControlOptions {
  /** The data directory, private to its owner and locked by this process. */
  readonly dir: string
  readonly routes: ControlRoutes
  readonly log?: Logger
  readonly clock?: Clock
}

const NAME = 'control'
const MOST_BYTES = 1 << 20
const MOST_ANSWER_BYTES = 16 << 20

/** HTTP for the owner of a data directory, on the unix socket `DIR/control.sock` (where `DIR/control.path` says, if that is too long). */
export async function serveControl(options: ServeControlOptions): Promise<AsyncDisposable> {
  const { dir, routes, log = silentLogger, clock = systemClock } = options
  const path = await prepareSocketPath(dir, NAME)
  const server = await serveHttp({
    at: { path },
    log,
    clock,
    maxConnections: 64,
    handler: async (request, response, signal) => {
      const route = `${request.method} ${request.url?.split('?')[0]}`
      const handler = Object.hasOwn(routes, route) ? routes[route] : undefined
      if (!handler) {
        sendJson(response, 404, {
          code: 'PLATFORM_CONTROL_UNKNOWN',
          message: 'This process has no such command',
          fields: { route },
        })
        return
      }
      sendJson(response, 200, await handler(parse(await readBody(request, MOST_BYTES, signal)), signal))
    },
  })
  await chmod(path, 0o600)
  return {
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await removeSocketPath(dir, NAME)
    },
  }
}

export interface CallControlOptions {
  readonly dir: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly deadline: Duration
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

/**
 * Asks the process of a data directory. Rejects with UnavailableError PLATFORM_CONTROL_SILENT when none answers in time, or
 * with the error that the process answered, its code kept.
 */
export async function callControl(options: CallControlOptions): Promise<unknown> {
  const { dir, deadline, clock = systemClock } = options
  const socketPath = await findSocketPath(dir, NAME)
  if (socketPath === undefined) throw silent(dir)
  try {
    return await withDeadline(clock, deadline, options.signal, (signal) => exchange(options, socketPath, signal))
  } catch (error) {
    if (!(error instanceof DeadlineError) && !hasCode(error, ...SILENT)) throw error
    throw silent(dir, error)
  }
}

function silent(dir: string, cause?: unknown): UnavailableError {
  return new UnavailableError('No process answers for this data directory', {
    code: 'PLATFORM_CONTROL_SILENT',
    fields: { dir },
    cause,
  })
}

const SILENT = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']

async function exchange(
  { method, path, body }: CallControlOptions,
  socketPath: string,
  signal: AbortSignal,
): Promise<unknown> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const headers = { connection: 'close', ...(payload ? { 'content-type': 'application/json' } : {}) }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ socketPath, method, path, headers, signal, agent: false })
      .on('response', resolve)
      .on('error', reject)
      .end(payload)
  })
  const answer = parse(await readBody(response, MOST_ANSWER_BYTES, signal))
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  throw answeredError(status, answer)
}

/** The answered error in the class that tells the caller what to do. */
function answeredError(status: number, answer: unknown): SkerryError {
  const known = typeof answer === 'object' && answer !== null ? answer : {}
  const message =
    'message' in known && typeof known.message === 'string' ? known.message : 'The process refused the command'
  const code = 'code' in known && typeof known.code === 'string' ? known.code : 'PLATFORM_CONTROL_REFUSED'
  const fields =
    'fields' in known && typeof known.fields === 'object' && known.fields !== null ? { ...known.fields } : {}
  if (status === 400) return new ConfigError(message, { code, fields })
  if (status === 409) return new ConflictError(message, { code, fields })
  return status === 503 ? new UnavailableError(message, { code, fields }) : new RefusedError(message, { code, fields })
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new ConfigError('The body is not JSON', { code: 'PLATFORM_BODY_NOT_JSON', cause })
  }
}
