import { UnavailableError } from '../lifecycle/errors.ts'
import { unpackError } from '../lifecycle/pack-error.ts'
import { type Clock, withDeadline } from '../time/clock.ts'
import type { Duration } from '../time/duration.ts'
import { type ChildEnd, startChild } from './child.ts'
import { type ApartCall, isAnswer } from './run-apart.ts'

export interface ForeignOptions {
  readonly clock: Clock
  readonly deadline: Duration
  /** Of its JavaScript heap; with more it is ended by its own runtime. */
  readonly heapMegabytes: number
  readonly signal?: AbortSignal
}

/**
 * As `runApart`, for code that is not ours. It gets no secret in its environment, what it prints is not shown, and neither what
 * it does nor how it ends reaches this process.
 */
export async function runForeign(
  module: URL,
  name: string,
  input: unknown,
  { clock, deadline, heapMegabytes, signal }: ForeignOptions,
): Promise<unknown> {
  const file = import.meta.url.endsWith('.ts') ? './foreign.ts' : './foreign.js'
  const child = startChild({ entry: new URL(file, import.meta.url), heapMegabytes, clock })
  for (const stream of child.output) stream.resume()
  const { promise: answered, resolve } = Promise.withResolvers<unknown>()
  child.line('answer').on('message', resolve)
  const call: ApartCall = { module: module.href, name, input }
  child.line('call').postMessage(call)
  try {
    const answer = await withDeadline(clock, deadline, signal, () =>
      Promise.race([answered, child.ended.then((end) => Promise.reject(endedEarly(name, end)))]),
    )
    if (!isAnswer(answer)) throw endedEarly(name, { code: null, signal: null, failure: undefined })
    if (answer.ok) return answer.value
    throw unpackError(answer.error)
  } finally {
    child.kill()
  }
}

function endedEarly(name: string, { code, signal, failure }: ChildEnd): UnavailableError {
  return new UnavailableError('A process ended before it had answered', {
    code: 'PLATFORM_APART_ENDED',
    fields: { name },
    cause: failure ?? new Error(signal === null ? `it ended itself with code ${code}` : `it was ended by ${signal}`),
  })
}
