import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store, StoreCall } from '../../platform/store/index.ts'
import type { DeviceId, Twin } from '../../schemas/index.ts'
import { putTwin, removeTwin } from './twin-store.ts'

/** One thing to do to one twin. */
export interface Step {
  /** Computed from everything that came before it; undefined: there is no such device (any more). Has no effects. */
  apply(twin: Twin | undefined): Twin | undefined
  /** Called once, in the order of the steps of this device, when what `apply` gave is on disk, or cannot be. */
  done(outcome: StepOutcome): void
}

export type StepOutcome =
  | { readonly ok: true; readonly before: Twin | undefined; readonly after: Twin | undefined }
  | { readonly ok: false; readonly error: unknown }

export interface TwinKeeperOptions {
  readonly store: Store
  readonly log: Logger
  /** After each commit, before the steps are told. */
  readonly onCommitted: (id: DeviceId, twin: Twin | undefined, before: Twin | undefined) => void
  readonly onFailed: () => void
  readonly onRefused: () => void
  /** What is written of a twin; default: as it is. */
  readonly recorded?: (twin: Twin) => Twin
  /** Steps that may wait for one device, and for all. */
  readonly mostPerDevice?: number
  readonly mostInAll?: number
}

const MOST_PER_DEVICE = 2000
const MOST_IN_ALL = 100_000
const RECORDED_AT_ONCE = 500

/**
 * All twins as they are on disk, each with its queue. While one commit of a device is under way its next steps gather, and
 * then go to disk together; devices do not wait for each other. A failed commit leaves the twin as it was on disk.
 */
export class TwinKeeper {
  readonly #options: TwinKeeperOptions
  readonly #twins = new Map<DeviceId, Twin>()
  readonly #queues = new Map<DeviceId, Step[]>()
  #waiting = 0
  #onIdle: (() => void) | undefined

  constructor(options: TwinKeeperOptions) {
    this.#options = options
  }

  /** Before the first step. */
  load(twins: Iterable<Twin>): void {
    for (const twin of twins) this.#twins.set(twin.id, twin)
  }

  get(id: DeviceId): Twin | undefined {
    return this.#twins.get(id)
  }

  all(): IterableIterator<Twin> {
    return this.#twins.values()
  }

  get count(): number {
    return this.#twins.size
  }

  /** Steps that are not done yet. */
  get waiting(): number {
    return this.#waiting
  }

  do(id: DeviceId, step: Step): void {
    const { mostPerDevice = MOST_PER_DEVICE, mostInAll = MOST_IN_ALL } = this.#options
    const queue = this.#queues.get(id)
    if (this.#waiting >= mostInAll || (queue && queue.length >= mostPerDevice)) {
      this.#options.onRefused()
      this.#tell(step, { ok: false, error: overloaded(id) })
      return
    }
    this.#waiting++
    if (queue) {
      queue.push(step)
      return
    }
    const fresh = [step]
    this.#queues.set(id, fresh)
    // What arrives in the same turn goes in the same commit.
    queueMicrotask(() => void this.#work(id, fresh))
  }

  /** Settles when nothing waits. */
  async idle(): Promise<void> {
    if (this.#queues.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Writes twins as they are recorded now, without a change of them. After `idle`, before the end. */
  async record(ids: readonly DeviceId[]): Promise<void> {
    for (let first = 0; first < ids.length; first += RECORDED_AT_ONCE) {
      const twins = ids.slice(first, first + RECORDED_AT_ONCE).flatMap((id) => this.#twins.get(id) ?? [])
      await this.#options.store.write(twins.map((twin) => this.#put(twin)))
    }
  }

  #put(twin: Twin): StoreCall {
    return putTwin(this.#options.recorded?.(twin) ?? twin)
  }

  async #work(id: DeviceId, queue: Step[]): Promise<void> {
    while (queue.length > 0) await this.#batch(id, queue.splice(0))
    this.#queues.delete(id)
    if (this.#queues.size === 0) this.#onIdle?.()
  }

  async #batch(id: DeviceId, steps: readonly Step[]): Promise<void> {
    const onDisk = this.#twins.get(id)
    let twin = onDisk
    const outcomes = steps.map((step): StepOutcome => {
      const before = twin
      try {
        twin = step.apply(before)
        return { ok: true, before, after: twin }
      } catch (error) {
        twin = before
        return { ok: false, error }
      }
    })
    const failure = await this.#commit(id, onDisk, twin)
    for (const [index, step] of steps.entries()) {
      const outcome = outcomes[index]
      this.#waiting--
      // What was only read from disk is true all the same.
      const isOnDisk = !failure || (outcome?.ok && outcome.before === onDisk && outcome.after === onDisk)
      if (outcome) this.#tell(step, isOnDisk || !outcome.ok ? outcome : { ok: false, error: failure?.error })
    }
  }

  /** What went wrong, if anything. */
  async #commit(id: DeviceId, onDisk: Twin | undefined, twin: Twin | undefined) {
    if (twin === onDisk) return undefined
    try {
      await this.#options.store.write([twin ? this.#put(twin) : removeTwin(id)])
    } catch (error) {
      this.#options.onFailed()
      return { error }
    }
    if (twin) this.#twins.set(id, twin)
    else this.#twins.delete(id)
    this.#options.onCommitted(id, twin, onDisk)
    return undefined
  }

  #tell(step: Step, outcome: StepOutcome): void {
    try {
      step.done(outcome)
    } catch (error) {
      this.#options.log.error('What follows a change of a twin threw', { error })
    }
  }
}

function overloaded(id: DeviceId): UnavailableError {
  return new UnavailableError('Too many changes wait for the twins', {
    code: 'TWIN_OVERLOADED',
    fields: { device: id },
  })
}
