import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration, ms, withDeadline } from '../../../platform/time/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'
import type { ServedDevice } from './served-device.ts'

/** An extra call of the driver, for one device. What it throws costs the connection, as everywhere; a DeviceSilentError does not. */
export type LineWork<T> = (connection: AsyncDisposable, device: ServedDevice, signal: AbortSignal) => Promise<T>

/** A piece of work that waits for its turn. Settles its caller in every case. */
export interface Work {
  readonly device: DeviceId
  /** Rejects when the connection has to be given up; the caller is told before. */
  run(connection: AsyncDisposable, device: ServedDevice, signal: AbortSignal): Promise<void>
  fail(error: unknown): void
}

const MOST_WAITING = 100

/** Work that callers want done on a line between its reads. Bounded; each piece has its deadline, also while it waits. */
export class Works {
  readonly #clock: Clock
  readonly #queue = new Set<Work>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add<T>(device: DeviceId, deadline: Duration, task: LineWork<T>): Promise<T> {
    if (this.#queue.size >= MOST_WAITING) {
      const details = { code: 'MAPPERS_LINE_BUSY', fields: { device, most: MOST_WAITING } }
      return Promise.reject(new UnavailableError('Too many calls wait for this connection', details))
    }
    const clock = this.#clock
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const end = clock.monotonic() + deadline.milliseconds
    const fail = (error: unknown) => {
      this.#queue.delete(work)
      timer[Symbol.dispose]()
      reject(error)
    }
    const timer = clock.after(deadline, () => fail(new DeadlineError(`no turn within ${deadline.milliseconds} ms`)))
    const work: Work = {
      device,
      fail,
      async run(connection, served, signal) {
        timer[Symbol.dispose]()
        try {
          const left = ms(Math.max(0, end - clock.monotonic()))
          resolve(await withDeadline(clock, left, signal, (limited) => task(connection, served, limited)))
        } catch (error) {
          reject(error)
          throw error
        }
      },
    }
    this.#queue.add(work)
    return promise
  }

  /** Takes out the oldest. */
  next(): Work | undefined {
    const [work] = this.#queue
    if (work) this.#queue.delete(work)
    return work
  }

  /** Those of some devices, or all. */
  fail(error: unknown, concerns: (device: DeviceId) => boolean = () => true): void {
    for (const work of [...this.#queue]) if (concerns(work.device)) work.fail(error)
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0
  }
}
