import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration } from '../../../platform/time/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'
import type { ServedDevice } from './served-device.ts'

/**
 * An extra call of the driver, for one device. It limits its calls itself, by what the driver may take: the patience of who
 * waits for the answer must not cost the connection. What it throws does, as everywhere; a DeviceSilentError does not.
 */
export type LineWork<T> = (connection: AsyncDisposable, device: ServedDevice, signal: AbortSignal) => Promise<T>

/** A piece of work that waits for its turn. Settles its caller in every case. */
export interface Work {
  readonly device: DeviceId
  /** Rejects when the connection has to be given up; the caller is told before. */
  run(connection: AsyncDisposable, device: ServedDevice, signal: AbortSignal): Promise<void>
  fail(error: unknown): void
}

const MOST_WAITING = 100

/** Work that callers want done on a line between its reads. Bounded; its caller hears by its deadline, whether it waits or runs. */
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
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const late = `no answer within ${deadline.milliseconds} ms`
    let hasBegun = false
    const fail = (error: unknown) => {
      this.#queue.delete(work)
      timer[Symbol.dispose]()
      reject(error)
    }
    const timer = this.#clock.after(deadline, () => {
      const details = { code: 'MAPPERS_LINE_BUSY', fields: { device, waitedMs: deadline.milliseconds } }
      fail(hasBegun ? new DeadlineError(late) : new UnavailableError('The connection was busy all the time', details))
    })
    const work: Work = {
      device,
      fail,
      async run(connection, served, signal) {
        hasBegun = true
        try {
          resolve(await task(connection, served, signal))
        } catch (error) {
          reject(error)
          throw error
        } finally {
          timer[Symbol.dispose]()
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
