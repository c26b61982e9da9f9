import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store, StoreCall } from '../../platform/store/index.ts'
import { afterTurn } from '../../platform/time/index.ts'
import type { DeviceId, Twin } from '../../schemas/index.ts'
import { putTwin, raiseFloor, removeTwin } from './twin-store.ts'

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
/** Twins in one write. */
const MOST_AT_ONCE = 256

/** What becomes of one twin by the steps that waited for it. */
interface Change {
  readonly id: DeviceId
  readonly onDisk: Twin | undefined
  readonly twin: Twin | undefined
  readonly steps: readonly Step[]
  readonly outcomes: readonly StepOutcome[]
}

/**
 * All twins as they are on disk, each with its queue. While one commit of a device is under way its next steps gather, and
 * then go to disk together. Devices that change in the same turn of the event loop share a write, and are written apart where
 * that fails; else they do not wait for each other. A failed commit leaves the twin as it was on disk.
 */
export class TwinKeeper {
  readonly #options: TwinKeeperOptions
  readonly #twins = new Map<DeviceId, Twin>()
  readonly #queues = new Map<DeviceId, Step[]>()
  /** Devices whose queues nobody works on yet. */
  #ready: DeviceId[] = []
  #isScheduled = false
  #waiting = 0
  #onIdle: (() => void) | undefined
  #floor = 0

  constructor(options: TwinKeeperOptions) {
    this.#options = options
  }

  /** Before the first step. */
  load(twins: Iterable<Twin>, floor = 0): void {
    this.#floor = floor
    for (const twin of twins) this.#twins.set(twin.id, twin)
  }

  get(id: DeviceId): Twin | undefined {
    return this.#twins.get(id)
  }

  /**
   * The highest revision of any twin that is gone. A new twin goes on from there: its device may be one of those, come back with
   * its uid, and whoever remembers the old revisions takes lower ones for old news.
   */
  get floor(): number {
    return this.#floor
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
    this.#queues.set(id, [step])
    this.#schedule(id)
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
    for (let first = 0; first < ids.length; first += MOST_AT_ONCE) {
      const twins = ids.slice(first, first + MOST_AT_ONCE).flatMap((id) => this.#twins.get(id) ?? [])
      await this.#options.store.write(twins.map((twin) => this.#put(twin)))
    }
  }

  #put(twin: Twin): StoreCall {
    return putTwin(this.#options.recorded?.(twin) ?? twin)
  }

  #schedule(id: DeviceId): void {
    this.#ready.push(id)
    if (this.#isScheduled) return
    this.#isScheduled = true
    afterTurn(() => {
      this.#isScheduled = false
      const ready = this.#ready
      this.#ready = []
      for (let first = 0; first < ready.length; first += MOST_AT_ONCE) {
        void this.#work(ready.slice(first, first + MOST_AT_ONCE))
      }
    })
  }

  async #work(ids: readonly DeviceId[]): Promise<void> {
    const changed: Change[] = []
    for (const id of ids) {
      const change = this.#apply(id)
      // What was only read need not wait for a disk.
      if (change.twin === change.onDisk) this.#settle(change, undefined)
      else changed.push(change)
    }
    if (changed.length > 0) await this.#commit(changed)
  }

  #apply(id: DeviceId): Change {
    const onDisk = this.#twins.get(id)
    const steps = this.#queues.get(id) ?? []
    this.#queues.set(id, [])
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
    return { id, onDisk, twin, steps, outcomes }
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    try {
      const floor = Math.max(0, ...changes.map(leftBehind))
      const calls = changes.map(({ id, twin }) => (twin ? this.#put(twin) : removeTwin(id)))
      await this.#options.store.write(floor > this.#floor ? [...calls, raiseFloor(floor)] : calls)
      this.#floor = Math.max(this.#floor, floor)
    } catch (error) {
      if (changes.length > 1) {
        await Promise.all(changes.map((change) => this.#commit([change])))
        return
      }
      this.#options.onFailed()
      for (const change of changes) this.#settle(change, { error })
      return
    }
    for (const change of changes) {
      const { id, twin } = change
      if (twin) this.#twins.set(id, twin)
      else this.#twins.delete(id)
      this.#options.onCommitted(id, twin, change.onDisk)
      this.#settle(change, undefined)
    }
  }

  /** Tells the steps, and lets those that came meanwhile have their turn. */
  #settle({ id, onDisk, steps, outcomes }: Change, failure: { readonly error: unknown } | undefined): void {
    for (const [index, step] of steps.entries()) {
      const outcome = outcomes[index]
      this.#waiting--
      // What was only read from disk is true all the same.
      const isOnDisk = !failure || (outcome?.ok && outcome.before === onDisk && outcome.after === onDisk)
      if (outcome) this.#tell(step, isOnDisk || !outcome.ok ? outcome : { ok: false, error: failure?.error })
    }
    if ((this.#queues.get(id)?.length ?? 0) > 0) this.#schedule(id)
    else this.#queues.delete(id)
    if (this.#queues.size === 0) this.#onIdle?.()
  }

  #tell(step: Step, outcome: StepOutcome): void {
    try {
      step.done(outcome)
    } catch (error) {
      this.#options.log.error('What follows a change of a twin threw', { error })
    }
  }
}

/** The last revision of a twin that goes, or that another device takes the place of. */
function leftBehind({ onDisk, twin }: Change): number {
  return onDisk && onDisk.uid !== twin?.uid ? onDisk.revision : 0
}

function overloaded(id: DeviceId): UnavailableError {
  return new UnavailableError('Too many changes wait for the twins', {
    code: 'TWIN_OVERLOADED',
    fields: { device: id },
  })
}
