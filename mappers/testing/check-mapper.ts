import { type Duration, ms, seconds, systemClock } from '../../platform/time/index.ts'
import { type AnySubject, Bench } from './bench.ts'
import type { Check } from './check.ts'
import { connectionChecks } from './checks/connection.ts'
import { contractChecks, importCheck } from './checks/contract.ts'
import { neighbourChecks } from './checks/neighbours.ts'
import { readingChecks } from './checks/reading.ts'
import { watchingChecks } from './checks/watching.ts'
import { writingChecks } from './checks/writing.ts'
import { Broken, shown } from './must.ts'
import { NotApplicable } from './not-applicable.ts'
import type { ConformanceServer, ConformanceSubject } from './subject.ts'

/** The conformance suite: what every mapper promises its host, in the order in which it is tried. */
export const checks: readonly Check[] = [
  ...contractChecks,
  ...connectionChecks,
  ...readingChecks,
  ...writingChecks,
  ...neighbourChecks,
  ...watchingChecks,
  importCheck,
]

export interface CheckResult {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'not applicable'
  /** What was expected and what happened, or why there was nothing to try. */
  readonly reason?: string
  /** What to do about a failure. */
  readonly advice?: string
  readonly milliseconds: number
}

export interface ConformanceReport {
  readonly protocol: string
  readonly passed: number
  readonly failed: number
  readonly notApplicable: number
  readonly checks: readonly CheckResult[]
}

export interface CheckOptions {
  /** Longest for what has to happen promptly, ms; default 5000. */
  readonly patience?: number
  readonly stopAtFirstFailure?: boolean
  onBegin?(check: Check): void
  onResult?(result: CheckResult): void
}

/** A check with a thousand visits may take long on a slow machine; after so many times the patience it hangs. */
const CHECK_PATIENCE = 6

/** Runs the whole suite, one check after the other. Never throws for what the mapper does. */
export async function checkMapper<D, V, C extends AsyncDisposable, S extends ConformanceServer>(
  subject: ConformanceSubject<D, V, C, S>,
  options: CheckOptions = {},
): Promise<ConformanceReport> {
  const results: CheckResult[] = []
  for (const check of checks) {
    options.onBegin?.(check)
    const result = await runCheck(check, subject, options)
    results.push(result)
    options.onResult?.(result)
    if (result.result === 'failed' && options.stopAtFirstFailure) break
  }
  const count = (wanted: CheckResult['result']) => results.filter(({ result }) => result === wanted).length
  return {
    protocol: subject.mapper.protocol,
    passed: count('passed'),
    failed: count('failed'),
    notApplicable: count('not applicable'),
    checks: results,
  }
}

/** Runs one check; what it throws is in the result. */
export async function runCheck<D, V, C extends AsyncDisposable, S extends ConformanceServer>(
  check: Check,
  subject: ConformanceSubject<D, V, C, S>,
  options: Pick<CheckOptions, 'patience'> = {},
): Promise<CheckResult> {
  const begun = systemClock.monotonic()
  const end = (result: CheckResult['result'], more: Pick<CheckResult, 'reason' | 'advice'> = {}): CheckResult => ({
    name: check.name,
    result,
    ...more,
    milliseconds: Math.round(systemClock.monotonic() - begun),
  })
  // The types of the subject are forgotten: configs go only to the mapper that parsed them, the server only to the subject.
  const patience = { milliseconds: options.patience ?? 5000 }
  const strays = new Strays()
  try {
    await attempt(check, subject, patience)
    // What was rejected and not handled is known one turn later.
    await new Promise((resolve) => setImmediate(resolve))
    strays.mustBeNone()
    return end('passed')
  } catch (error) {
    if (error instanceof NotApplicable) return end('not applicable', { reason: error.message })
    const reason = error instanceof Broken ? error.message : `it threw ${shown(error)}`
    return end('failed', { reason, advice: check.advice })
  } finally {
    strays[Symbol.dispose]()
  }
}

async function attempt(check: Check, subject: AnySubject, patience: Duration): Promise<void> {
  const bench = new Bench(subject, patience)
  // Holds the process, whatever the mapper does not.
  const awake = new AbortController()
  systemClock.sleep(seconds(600), awake.signal).catch(() => undefined)
  const limit = ms(patience.milliseconds * CHECK_PATIENCE)
  let isBroken = true
  try {
    await bench.within(limit, 'the check', check.run(bench))
    isBroken = false
  } finally {
    awake.abort(new Error('the check is over'))
    await bench[Symbol.asyncDispose]().catch((error: unknown) => {
      // The first failure says most.
      if (!isBroken) throw error
    })
  }
}

/** Catches what is thrown where nobody can catch it, and warnings that tell of a leak. */
class Strays implements Disposable {
  readonly #found: string[] = []
  readonly #onError = (error: unknown) => void this.#found.push(`it threw where nobody can catch it: ${shown(error)}`)
  readonly #onWarning = (warning: Error) => {
    if (warning.name === 'MaxListenersExceededWarning') this.#found.push(`it leaks listeners: ${warning.message}`)
  }

  constructor() {
    process.on('unhandledRejection', this.#onError)
    process.on('uncaughtException', this.#onError)
    process.on('warning', this.#onWarning)
  }

  mustBeNone(): void {
    const [first] = this.#found
    if (first !== undefined) throw new Broken(first)
  }

  [Symbol.dispose](): void {
    process.off('unhandledRejection', this.#onError)
    process.off('uncaughtException', this.#onError)
    process.off('warning', this.#onWarning)
  }
}
