import { type ChildProcess, fork } from 'node:child_process'
import { UnavailableError } from '../lifecycle/errors.ts'
import { type PortError, unpackError } from '../lifecycle/pack-error.ts'
import { type Clock, withDeadline } from '../time/clock.ts'
import type { Duration } from '../time/duration.ts'

/** What the other process is asked to do, as plain data. */
export interface ApartCall {
  /** Module that exports the function. */
  readonly module: string
  readonly name: string
  readonly input: unknown
}

export type ApartAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PortError }

export interface ApartOptions {
  readonly clock: Clock
  readonly deadline: Duration
  readonly signal?: AbortSignal
}

/**
 * Calls `name` of a module with `input` in a process of its own, which then ends: what the module loads costs memory only
 * meanwhile (a thread would leave a part of it behind). Input and answer are structured-cloneable; what the function throws
 * is thrown here, in its class.
 */
export async function runApart(module: URL, name: string, input: unknown, options: ApartOptions): Promise<unknown> {
  const { clock, deadline, signal } = options
  const call: ApartCall = { module: module.href, name, input }
  const file = import.meta.url.endsWith('.ts') ? './apart.ts' : './apart.js'
  const child = fork(new URL(file, import.meta.url), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    const answer = await withDeadline(clock, deadline, signal, () => answerOf(child, call))
    if (answer.ok) return answer.value
    throw unpackError(answer.error)
  } finally {
    if (child.exitCode === null) child.kill('SIGKILL')
  }
}

function answerOf(child: ChildProcess, call: ApartCall): Promise<ApartAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ApartAnswer>()
  const fail = (cause?: unknown) =>
    reject(
      new UnavailableError('A process ended before it had answered', {
        code: 'PLATFORM_APART_ENDED',
        fields: { name: call.name },
        cause,
      }),
    )
  let answer: ApartAnswer | undefined
  child.once('message', (message) => {
    if (isAnswer(message)) answer = message
  })
  child.once('error', fail)
  // It ends by itself, or it would not keep what it has compiled for the next start.
  child.once('close', () => (answer ? resolve(answer) : fail()))
  child.send({ ...call }, (error) => error && fail(error))
  return promise
}

/** From our own program, so that the form tells enough. */
export function isAnswer(message: unknown): message is ApartAnswer {
  return typeof message === 'object' && message !== null && 'ok' in message
}
