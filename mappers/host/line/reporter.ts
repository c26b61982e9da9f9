import type { Bus } from '../../../platform/bus/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Random } from '../../../platform/time/index.ts'
import {
  type DeviceId,
  type DeviceStateReport,
  type PropertyReading,
  reportDevices,
  reportStates,
  type WriteResult,
} from '../../../schemas/index.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { Waiting } from './waiting.ts'
import { Wakeup } from './wakeup.ts'

export interface ReporterOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly settings: HostSettings
  readonly stats: HostStats
  /** What is said about other devices is dropped. */
  isCurrent(id: DeviceId): boolean
}

/**
 * The way to the twin: one request carries what all devices have to say. While it is under way, newer readings of a property
 * replace older ones; what the twin did not take, also because it does not know the device yet, is sent again.
 */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #wakeup: Wakeup
  #states = new Map<DeviceId, DeviceStateReport>()
  #reports = new Map<DeviceId, Waiting>()

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#wakeup = new Wakeup(options.clock)
  }

  state(report: DeviceStateReport): void {
    this.#states.set(report.id, report)
    this.#wakeup.wake()
  }

  report(id: DeviceId, readings: readonly PropertyReading[], writes: readonly WriteResult[] = []): void {
    if (readings.length === 0 && writes.length === 0) return
    const waiting = this.#reports.get(id) ?? new Waiting()
    this.#reports.set(id, waiting)
    this.#options.stats.droppedReports += waiting.add(readings, writes)
    this.#wakeup.wake()
  }

  /** What a device recorded while nobody could listen: each reading reaches the twin, in this order, unless there are too many. */
  recorded(id: DeviceId, reading: PropertyReading): void {
    const waiting = this.#reports.get(id) ?? new Waiting()
    this.#reports.set(id, waiting)
    this.#options.stats.droppedReports += waiting.record(reading)
    this.#wakeup.wake()
  }

  forget(id: DeviceId): void {
    this.#states.delete(id)
    this.#reports.delete(id)
  }

  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.#options.settings.resend, this.#options.random)
    while (!signal.aborted) {
      if (this.#states.size === 0 && this.#reports.size === 0) await this.#wakeup.wait(undefined, signal)
      else if (await this.#flush(signal)) backoff.reset()
      else await this.#options.clock.sleep(backoff.next(), signal).catch(() => undefined)
    }
  }

  /** True when everything was taken. */
  async #flush(signal: AbortSignal): Promise<boolean> {
    const { bus, settings } = this.#options
    const states = this.#states
    const reports = this.#reports
    this.#states = new Map()
    this.#reports = new Map()
    const options = { deadline: settings.reportDeadline, signal }
    const [statesLeft, reportsLeft] = [
      await this.#send([...states.values()], (list) => bus.request(reportStates, list, options), signal),
      await this.#send(
        [...reports].flatMap(([id, waiting]) => waiting.reports(id)),
        (list) => bus.request(reportDevices, list, options),
        signal,
      ),
    ]
    for (const id of statesLeft) {
      const state = states.get(id)
      if (state && !this.#states.has(id)) this.#states.set(id, state)
    }
    for (const id of new Set(reportsLeft)) this.#putBack(id, reports.get(id))
    return statesLeft.length === 0 && reportsLeft.length === 0
  }

  #putBack(id: DeviceId, older: Waiting | undefined): void {
    if (!older) return
    const newer = this.#reports.get(id)
    if (newer) this.#options.stats.droppedReports += older.append(newer)
    this.#reports.set(id, older)
  }

  /** Ids of current devices that the twin did not take. */
  async #send<T extends { readonly id: DeviceId }>(
    list: readonly T[],
    request: (list: readonly T[]) => Promise<{ readonly unknown: readonly DeviceId[] }>,
    signal: AbortSignal,
  ): Promise<readonly DeviceId[]> {
    const { log, isCurrent } = this.#options
    const current = list.filter(({ id }) => isCurrent(id))
    if (current.length === 0) return []
    try {
      return (await request(current)).unknown.filter(isCurrent)
    } catch (error) {
      if (!signal.aborted)
        log.warn('The twin did not take a report; it is sent again', { devices: current.length, error })
      return current.map(({ id }) => id)
    }
  }
}
