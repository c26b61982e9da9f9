import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, DeadlineError, ms, type Random, withDeadline } from '../../../platform/time/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'
import type { LocalBroker, MapperContext } from '../../contract/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { callDriver } from './call.ts'
import { deliver } from './deliver.ts'
import { writeOrders } from './orders.ts'
import type { Reporter } from './reporter.ts'
import { Schedule } from './schedule.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'
import { Wakeup } from './wakeup.ts'
import { Watches } from './watches.ts'

export interface LineOptions {
  readonly key: string
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Reporter
  /** Of the mapper alone; see MapperContext. */
  readonly folder: string
  readonly broker?: LocalBroker | undefined
}

/** Stagger of the lines among each other, so that a hundred gateways are not all asked in the same millisecond. */
const STAGGER_MS = 1000

/**
 * One connection and the devices behind it. A single loop connects, writes, reads and reconnects, so that calls of the
 * driver never overlap; each loss disposes the connection once.
 */
export class Line {
  readonly #options: LineOptions
  readonly #devices = new Map<DeviceId, ServedDevice>()
  readonly #schedule: Schedule<ServedProperty>
  readonly #wakeup: Wakeup
  readonly #backoff: Backoff
  readonly #watches: Watches
  /** Why there is no connection; undefined while there is one or the first is being made. */
  #down: string | undefined

  constructor(options: LineOptions) {
    this.#options = options
    this.#schedule = new Schedule(options.clock.monotonic() - options.random.next() * STAGGER_MS)
    this.#wakeup = new Wakeup(options.clock)
    this.#backoff = new Backoff(options.settings.reconnect, options.random)
    this.#watches = new Watches(options.mapper, options.reporter, () => this.#wakeup.wake())
  }

  get size(): number {
    return this.#devices.size
  }

  /** Takes a device, or its new plan. Devices beside it notice nothing. */
  put(device: ServedDevice): void {
    this.#drop(device.id)
    this.#devices.set(device.id, device)
    const now = this.#options.clock.monotonic()
    for (const property of device.properties) if (property.plan.isPolled) this.#schedule.add(property, now)
    this.#watches.add(device)
    if (this.#down !== undefined) device.lose(this.#down)
    this.#wakeup.wake()
  }

  remove(id: DeviceId): void {
    this.#drop(id)
    this.#devices.delete(id)
  }

  /** The device has new orders. */
  ordersChanged(device: ServedDevice): void {
    const absence = this.#down ?? device.away
    if (absence !== undefined) device.lose(absence)
    this.#wakeup.wake()
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#connected(signal)
      } catch (error) {
        if (signal.aborted) return
        const wait = this.#backoff.next()
        this.#options.log.debug('The line waits before it connects again', {
          line: this.#options.key,
          waitMs: Math.round(wait.milliseconds),
          error,
        })
        await this.#options.clock.sleep(wait, signal).catch(() => undefined)
      }
    }
  }

  async #connected(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options
    let connection: AsyncDisposable | undefined
    const began = clock.monotonic()
    try {
      connection = await this.#connect(signal)
      this.#options.stats.connects++
      this.#down = undefined
      this.#schedule.refresh()
      for (const device of this.#devices.values()) this.#welcome(device)
      this.#watches.open(connection, [...this.#devices.values()])
      await this.#serve(connection, signal)
    } catch (error) {
      if (clock.monotonic() - began > settings.reconnect.most.milliseconds) this.#backoff.reset()
      if (!signal.aborted) this.#lost(error)
      throw error
    } finally {
      this.#watches.close()
      if (connection) await this.#dispose(connection)
    }
  }

  async #connect(signal: AbortSignal): Promise<AsyncDisposable> {
    const { mapper, clock, settings, log, broker } = this.#options
    const [device] = this.#devices.values()
    if (!device) throw new Error('the line has no device')
    const connecting: { late: boolean } = { late: false }
    try {
      return await withDeadline(clock, settings.connectDeadline, signal, async (limited) => {
        const context: MapperContext = {
          clock: { now: () => clock.now(), sleep: (milliseconds, until) => clock.sleep(ms(milliseconds), until) },
          log: {
            debug: (message, fields) => log.debug(message, { ...fields }),
            warn: (message, fields) => log.warn(message, { ...fields }),
          },
          signal: limited,
          folder: this.#options.folder,
          ...(broker ? { broker } : {}),
        }
        const connection = await mapper.connect(device.plan.config, context)
        // A driver that ignored the deadline still hands over a connection, which nobody would close.
        if (connecting.late) void this.#dispose(connection)
        return connection
      })
    } catch (error) {
      connecting.late = true
      if (error instanceof DeadlineError) {
        throw new Error(`no connection within ${settings.connectDeadline.milliseconds} ms`, { cause: error })
      }
      throw error
    }
  }

  async #serve(connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      this.#watches.check()
      const nextOrder = await writeOrders([...this.#devices.values()], connection, { ...this.#options, signal })
      const due = this.#schedule.take(clock.monotonic())
      if (due.length > 0) await this.#read(connection, due, signal)
      // An answer, not the mere connection, proves that the other end lives.
      if (due.length > 0) this.#backoff.reset()
      const nextRead = this.#schedule.next(clock.monotonic())
      const next = Math.min(nextOrder ?? Number.POSITIVE_INFINITY, nextRead ?? Number.POSITIVE_INFINITY)
      await this.#wakeup.wait(Number.isFinite(next) ? next - clock.monotonic() : undefined, signal)
    }
  }

  async #read(connection: AsyncDisposable, due: readonly ServedProperty[], signal: AbortSignal): Promise<void> {
    const { mapper, stats, reporter } = this.#options
    const visits = due.map(({ plan }) => plan.visit)
    const results = await callDriver(visits, this.#callOptions(signal), (limited) =>
      Promise.resolve(mapper.read?.(connection, visits, limited) ?? new Map()),
    )
    stats.reads++
    stats.visits += due.length
    // A device that was changed or removed meanwhile has other visits now.
    const current = due.filter(({ device }) => this.#devices.get(device.id) === device)
    stats.failedVisits += deliver(current, results, reporter)
  }

  #callOptions(signal: AbortSignal) {
    const { clock, settings, mapper } = this.#options
    return { clock, settings, mapper, signal }
  }

  /** A device without readable properties is online when its connection is; the others prove it by an answer. */
  #welcome(device: ServedDevice): void {
    if (device.properties.length === 0) device.setState('online')
  }

  #lost(error: unknown): void {
    const { log, key, mapper, stats } = this.#options
    const reason = describeError(error)
    if (this.#down === undefined) {
      stats.lostConnections++
      log.warn('The connection is lost', { mapper: mapper.protocol, line: key, devices: this.#devices.size, error })
    }
    this.#down = reason
    for (const device of this.#devices.values()) device.lose(reason)
  }

  async #dispose(connection: AsyncDisposable): Promise<void> {
    const { clock, settings, log, key } = this.#options
    try {
      await withDeadline(clock, settings.disposeDeadline, undefined, async () => connection[Symbol.asyncDispose]())
    } catch (error) {
      log.warn('A connection did not close cleanly', { line: key, error })
    }
  }

  #drop(id: DeviceId): void {
    const before = this.#devices.get(id)
    if (!before) return
    for (const property of before.properties) this.#schedule.remove(property)
    this.#watches.remove(id)
  }
}
