import type { Logger } from '../log/logger.ts'
import { type Clock, DeadlineError } from '../time/clock.ts'
import { type Duration, ms } from '../time/duration.ts'
import type { Scope } from './module.ts'

export interface ScopeOptions {
  readonly clock: Clock
  readonly log: Logger
  /** For the whole closing: background work gets the first half of it, the releases what is left. */
  readonly deadline: Duration
  /** Called at most once, with the first rejection of `run` work before the signal aborts. */
  readonly onCrash: (error: unknown) => void
  readonly onPending?: (what: string | undefined) => void
}

/** The reason of an aborted scope's signal: the module is asked to stop. */
export class ScopeClosed extends Error {
  override readonly name = 'ScopeClosed'
}

/** A scope in the hands of who closes it. */
export interface ManagedScope extends Scope {
  /** As disposing, within another time. The first closing counts; later ones get its end. */
  close(within: Duration): Promise<void>
}

type Release = () => PromiseLike<void> | void

/**
 * The owner of what one start of a module holds. Disposing it never hangs: what outlives the deadline is named in the
 * AggregateError with which disposing rejects, together with everything that threw. A resource that comes after the signal
 * aborted is released too, and `use` and `defer` throw the signal's reason.
 */
export function createScope(name: string, options: ScopeOptions): ManagedScope {
  const { clock, log } = options
  const controller = new AbortController()
  const { signal } = controller
  const releases: Release[] = []
  const work = new Set<Promise<void>>()
  const errors: unknown[] = []
  let crashed = false
  let closing: Promise<void> | undefined
  let drained = false

  const add = (release: Release) => {
    if (!drained) releases.push(release)
    else void attempt(release).catch((error: unknown) => log.warn('A late release failed', { module: name, error }))
    signal.throwIfAborted()
  }

  const onRejection = (error: unknown) => {
    if (signal.aborted) {
      if (!isCancellation(error, signal)) errors.push(error)
    } else if (crashed) {
      log.error('More background work of a crashed module failed', { module: name, error })
    } else {
      crashed = true
      options.onCrash(error)
    }
  }

  const closeWithin = async (within: Duration) => {
    const end = clock.monotonic() + within.milliseconds
    controller.abort(new ScopeClosed(`${name} is stopping`))
    if (work.size > 0) {
      const late = await outlasts(clock, ms(within.milliseconds / 2), Promise.all(work))
      if (late) errors.push(new DeadlineError(`background work of ${name} did not stop`))
    }
    for (let release = releases.pop(); release; release = releases.pop()) {
      const left = ms(Math.max(0, end - clock.monotonic()))
      const releasing = attempt(release).catch((error: unknown) => void errors.push(error))
      if (await outlasts(clock, left, releasing)) errors.push(new DeadlineError(`a release of ${name} did not settle`))
    }
    drained = true
    if (errors.length > 0) throw new AggregateError([...errors], `${name} did not stop cleanly`)
  }

  const close = (within: Duration) => {
    closing ??= closeWithin(within)
    return closing
  }

  return {
    signal,
    use(resource) {
      add(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()))
      return resource
    },
    defer: add,
    run(start) {
      if (signal.aborted) return
      const running: Promise<void> = attempt(() => start(signal))
        .catch(onRejection)
        .finally(() => void work.delete(running))
      work.add(running)
    },
    pending(what) {
      if (!signal.aborted) options.onPending?.(what)
    },
    close,
    [Symbol.asyncDispose]: () => close(options.deadline),
  }
}

/** Turns a synchronous throw into a rejection. */
async function attempt(work: Release): Promise<void> {
  await work()
}

function isCancellation(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

async function outlasts(clock: Clock, duration: Duration, settling: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<true>()
  using _timer = clock.after(duration, () => resolve(true))
  return await Promise.race([settling.then(() => false), late])
}
