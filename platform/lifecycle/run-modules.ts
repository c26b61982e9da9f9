import type { Logger } from '../log/logger.ts'
import type { Clock } from '../time/clock.ts'
import { type Duration, ms } from '../time/duration.ts'
import type { Random } from '../time/random.ts'
import { BugError, SkerryError, UnavailableError } from './errors.ts'
import { createModuleBoard, type ModuleBoard, type ModuleState } from './module-states.ts'
import { type ModuleEntry, Supervisor } from './supervisor.ts'

export interface RunOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** For stopping all modules together. */
  readonly grace: Duration
  /** Aborting it stops the run, also while it starts. */
  readonly signal?: AbortSignal
  /** Where states are kept; a caller that wants to watch the start brings its own. */
  readonly board?: ModuleBoard
}

export interface RunningModules extends AsyncDisposable {
  states(): readonly ModuleState[]
  ready(): boolean
  /**
   * Settles after all modules are stopped and never rejects. Undefined: it was asked to stop, and stopped cleanly. Else the
   * reason: code PLATFORM_MODULE_FAILED (`fields.module`, its last crash as cause) or PLATFORM_STOP_UNCLEAN.
   */
  readonly ended: Promise<SkerryError | undefined>
  /** Stops in reverse order; answers as `ended`. */
  stop(): Promise<SkerryError | undefined>
}

/**
 * Starts the modules in order, each awaited. If one fails, or the signal aborts, those started are stopped in reverse and
 * the reason is thrown. Later a crashed module is restarted by its policy; past the policy's limit the whole run ends.
 */
export async function runModules(modules: readonly ModuleEntry[], options: RunOptions): Promise<RunningModules> {
  const { clock, log, signal } = options
  const board = options.board ?? createModuleBoard(clock)
  const ended = Promise.withResolvers<SkerryError | undefined>()
  const started: Supervisor[] = []
  const fatal: Trouble[] = []
  let stopping: Promise<SkerryError | undefined> | undefined

  const stop = () => {
    stopping ??= stopAll(started, options).then((teardown) => {
      signal?.removeEventListener('abort', stop)
      const end = fatal[0] ? moduleFailed(fatal[0]) : stopUnclean(teardown)
      ended.resolve(end)
      return end
    })
    return stopping
  }

  const supervisors = modules.map((entry) => {
    const { name } = entry.module
    const onFailed = (error: unknown) => {
      log.error('A module used up its restarts; the process ends', { module: name, error })
      fatal.push({ module: name, error })
      void stop()
    }
    return new Supervisor(entry, { ...options, board, onFailed })
  })
  assertUnique(supervisors)
  for (const { name } of supervisors) board.set(name, 'starting')

  try {
    for (const [index, supervisor] of supervisors.entries()) {
      signal?.throwIfAborted()
      throwFirst(fatal)
      for (const later of supervisors.slice(index + 1)) board.pending(later.name, `start of ${supervisor.name}`)
      started.push(supervisor)
      await supervisor.start(signal)
      log.info('A module is ready', { module: supervisor.name })
    }
    signal?.throwIfAborted()
    throwFirst(fatal)
  } catch (error) {
    await stop()
    throwFirst(fatal)
    throw error
  }
  signal?.addEventListener('abort', stop, { once: true })
  return {
    states: () => board.states(),
    ready: () => board.ready(),
    ended: ended.promise,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

async function stopAll(started: readonly Supervisor[], { clock, grace, log }: RunOptions): Promise<readonly Trouble[]> {
  const end = clock.monotonic() + grace.milliseconds
  const teardown: Trouble[] = []
  for (const supervisor of [...started].reverse()) {
    const left = ms(Math.max(SHORTEST_STOP_MS, end - clock.monotonic()))
    const errors = await supervisor.stop(left)
    for (const error of errors) teardown.push({ module: supervisor.name, error })
    log.info('A module is stopped', { module: supervisor.name })
  }
  return teardown
}

interface Trouble {
  readonly module: string
  readonly error: unknown
}

function moduleFailed({ module, error }: Trouble): SkerryError {
  return new UnavailableError('A module crashed too often', {
    code: 'PLATFORM_MODULE_FAILED',
    fields: { module },
    cause: error,
  })
}

function stopUnclean(teardown: readonly Trouble[]): SkerryError | undefined {
  if (teardown.length === 0) return undefined
  return new SkerryError('Not all modules stopped cleanly', {
    code: 'PLATFORM_STOP_UNCLEAN',
    fields: { modules: [...new Set(teardown.map(({ module }) => module))] },
    cause: new AggregateError(
      teardown.map(({ error }) => error),
      'errors while stopping',
    ),
  })
}

/** Even after the grace is used up a module gets this long to close what closes at once. */
const SHORTEST_STOP_MS = 100

/** A module may use up its restarts while a later one still starts; that is the reason then. */
function throwFirst(fatal: readonly { readonly error: unknown }[]): void {
  if (fatal[0]) throw fatal[0].error
}

function assertUnique(supervisors: readonly Supervisor[]): void {
  const names = new Set<string>()
  for (const { name } of supervisors) {
    if (names.has(name)) {
      throw new BugError('Two modules have one name', { code: 'PLATFORM_MODULE_TWICE', fields: { module: name } })
    }
    names.add(name)
  }
}
