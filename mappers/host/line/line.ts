import { BugError, describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, type Random } from '../../../platform/time/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'
import { isDeviceSilent, type LocalBroker } from '../../contract/index.ts'
import type { AnyMapper, DevicePlan } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import { type HostStats, type LineStats, lineStats } from '../stats.ts'
import { callDriver } from './call.ts'
import { connect, dispose } from './connect.ts'
import { deliver } from './deliver.ts'
import { Dispatch, type Job } from './dispatch.ts'
import { fillGap } from './gap.ts'
import { writeOrders } from './orders.ts'
import type { Peer } from './peer.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'
import { Wakeup } from './wakeup.ts'
import { Watches } from './watches.ts'
import { type LineWork, Works } from './works.ts'

export interface LineOptions {
  readonly key: string
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Reporter
  /** Until when the twin of a device is known, Unix ms; undefined where it is not at all. Never rejects. */
  knownUntil(id: DeviceId, uid: string): Promise<number | undefined>
  /** Of the mapper alone; see MapperContext. */
  readonly folder: string
  readonly broker?: LocalBroker | undefined
}

/** Stagger of the lines among each other, so that a hundred gateways are not all asked in the same millisecond. */
const STAGGER_MS = 1000
/** So many calls without an answer, while nobody on the line answers, cost the connection: it may be the one that is dead. */
const MOST_UNANSWERED = 3

/**
 * One connection and the devices behind it. A single loop connects, writes, reads and reconnects, so that calls of the
 * driver never overlap; each loss disposes the connection once.
 */
export class Line {
  readonly #options: LineOptions
  readonly #devices = new Map<DeviceId, ServedDevice>()
  readonly #works: Works
  readonly #dispatch: Dispatch
  readonly #wakeup: Wakeup
  readonly #backoff: Backoff
  readonly #watches: Watches
  readonly #stats: LineStats
  /** Why there is no connection; undefined while there is one or the first is being made. */
  #down: string | undefined
  #isOpen = false
  /** The protocol tells what was recorded during an outage, and its mapper ends when it is told to. */
  #hasHistory: boolean
  /** Calls since the last answer. */
  #unanswered = 0
  /** Connects that failed. Each is made with the next device, so that one with a bad configuration keeps nobody away. */
  #failedConnects = 0

  constructor(options: LineOptions) {
    const { clock, random, settings, mapper, reporter } = options
    this.#options = options
    this.#hasHistory = mapper.history !== undefined
    this.#stats = lineStats(options.stats, options.key)
    this.#works = new Works(clock)
    const now = clock.monotonic()
    this.#dispatch = new Dispatch({
      epoch: now - random.next() * STAGGER_MS,
      now,
      random,
      probe: settings.reconnect,
      works: this.#works,
      hasHistory: () => this.#hasHistory,
    })
    this.#wakeup = new Wakeup(clock)
    this.#backoff = new Backoff(settings.reconnect, random)
    this.#watches = new Watches(mapper, reporter, (device) => {
      if (device) this.#dispatch.ordersChanged(device)
      this.#wakeup.wake()
    })
  }

  get size(): number {
    return this.#devices.size
  }

  *plans(): Iterable<DevicePlan> {
    for (const { plan } of this.#devices.values()) yield plan
  }

  /** Takes a device, or its new plan. Devices beside it notice nothing. */
  put(device: ServedDevice): void {
    this.#drop(device.id)
    this.#devices.set(device.id, device)
    this.#dispatch.add(device, this.#options.clock.monotonic())
    if (!this.#hasGap(device)) this.#watches.add(device)
    this.#postpone(device)
    if (this.#isOpen) this.#welcome(device)
    this.#wakeup.wake()
  }

  remove(id: DeviceId): void {
    this.#drop(id)
    this.#devices.delete(id)
    this.#works.fail(unavailable(id, 'the device is gone'), (device) => device === id)
  }

  /** The device has new orders. */
  ordersChanged(device: ServedDevice): void {
    this.#postpone(device)
    this.#dispatch.ordersChanged(device)
    this.#wakeup.wake()
  }

  /**
   * Has an extra call of the driver made for a device, when no other is under way. Rejects at once while the device is away, at
   * the deadline whether its turn has come or not, and with what `work` throws; that costs the connection, as with every call.
   */
  work<T>(id: DeviceId, deadline: Duration, work: LineWork<T>): Promise<T> {
    const device = this.#devices.get(id)
    const absence = device ? this.#absence(device) : 'the device is not served'
    if (absence !== undefined) return Promise.reject(unavailable(id, absence))
    const done = this.#works.add(id, deadline, work)
    this.#wakeup.wake()
    return done
  }

  /** Until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#connected(signal)
      } catch (error) {
        if (signal.aborted) break
        const wait = this.#backoff.next()
        this.#options.log.debug('The line waits before it connects again', {
          line: this.#options.key,
          waitMs: Math.round(wait.milliseconds),
          error,
        })
        await this.#options.clock.sleep(wait, signal).catch(() => undefined)
      }
    }
    this.#works.fail(signal.reason)
  }

  async #connected(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options
    let connection: AsyncDisposable | undefined
    const began = clock.monotonic()
    try {
      connection = await this.#connect(signal)
      this.#options.stats.connects++
      this.#down = undefined
      this.#isOpen = true
      this.#unanswered = 0
      this.#dispatch.renew(clock.monotonic())
      for (const each of this.#devices.values()) this.#welcome(each)
      this.#watches.open(
        connection,
        [...this.#devices.values()].filter((each) => !this.#hasGap(each)),
      )
      await this.#serve(connection, signal)
    } catch (error) {
      if (clock.monotonic() - began > settings.reconnect.most.milliseconds) this.#backoff.reset()
      if (!signal.aborted) this.#lost(error)
      throw error
    } finally {
      this.#isOpen = false
      this.#watches.close()
      if (connection) await dispose(connection, this.#options)
    }
  }

  async #connect(signal: AbortSignal): Promise<AsyncDisposable> {
    const devices = [...this.#devices.values()]
    const device = devices[this.#failedConnects % devices.length]
    if (!device) throw new Error('the line has no device')
    try {
      return await connect(device.plan, this.#options, signal)
    } catch (error) {
      this.#failedConnects++
      throw error
    }
  }

  async #serve(connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      this.#watches.check()
      const job = this.#dispatch.next(clock.monotonic())
      if (job) await this.#do(job, connection, signal)
      else {
        const next = this.#dispatch.nextAt(clock.monotonic())
        await this.#wakeup.wait(next === undefined ? undefined : next - clock.monotonic(), signal)
      }
    }
  }

  /** One job; that a peer is silent ends here, all else costs the connection. */
  async #do(job: Job, connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const began = clock.monotonic()
    try {
      await this.#perform(job, connection, signal)
    } catch (error) {
      this.#stats.busyMs += clock.monotonic() - began
      if (!job.peer) throw error
      if (!isDeviceSilent(error)) {
        // An order that does so waits by itself.
        if (job.kind !== 'orders') this.#dispatch.blame(job.peer, describeError(error), clock.monotonic())
        throw error
      }
      this.#silent(job.peer, error, clock.monotonic() - began)
      return
    }
    const cost = clock.monotonic() - began
    this.#stats.busyMs += cost
    if (!job.peer) return
    this.#dispatch.charge(job.peer, cost)
    if (job.kind === 'probe') {
      this.#dispatch.returned(job.peer)
      for (const device of job.peer.devices) this.#welcome(device)
    }
    // An answer, not the mere connection, proves that the other end lives.
    if (job.kind === 'read' || job.kind === 'probe') {
      this.#unanswered = 0
      this.#backoff.reset()
    }
  }

  async #perform(job: Job, connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    switch (job.kind) {
      case 'read':
        return this.#read(connection, job.properties, signal)
      case 'orders':
        return writeOrders(job.peer.devices, connection, { ...this.#options, signal })
      case 'probe':
        // What it says is not told: all of it is read again.
        if (job.property) await this.#call(connection, [job.property], signal)
        return
      case 'gap':
        await this.#fillGap(job.device, connection, signal)
        if (this.#devices.get(job.device.id) === job.device) this.#watches.add(job.device)
        return
      case 'work': {
        const device = this.#devices.get(job.work.device)
        if (device) await job.work.run(connection, device, signal)
        else job.work.fail(unavailable(job.work.device, 'the device is gone'))
      }
    }
  }

  async #fillGap(device: ServedDevice, connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    try {
      await fillGap(device, connection, { ...this.#options, signal })
    } catch (error) {
      // Each time it would cost all devices of the line their connection.
      if (error instanceof BugError) this.#hasHistory = false
      throw error
    }
  }

  async #read(connection: AsyncDisposable, due: readonly ServedProperty[], signal: AbortSignal): Promise<void> {
    const { stats, reporter, clock } = this.#options
    const began = clock.monotonic()
    const results = await this.#call(connection, due, signal)
    stats.reads++
    stats.visits += due.length
    // A device that was changed or removed meanwhile has other visits now, and what was pushed meanwhile is newer.
    const current = due.filter(
      ({ device, pushedAt }) => this.#devices.get(device.id) === device && (pushedAt === undefined || pushedAt < began),
    )
    stats.failedVisits += deliver(current, results, reporter)
  }

  #call(connection: AsyncDisposable, properties: readonly ServedProperty[], signal: AbortSignal) {
    const { clock, settings, mapper } = this.#options
    const visits = properties.map(({ plan }) => plan.visit)
    return callDriver(visits, { clock, settings, mapper, signal }, async (limited) => {
      return mapper.read?.(connection, visits, limited) ?? new Map()
    })
  }

  /** A device without readable properties is online when its connection is; the others prove it by an answer. */
  #welcome(device: ServedDevice): void {
    if (device.properties.length === 0 && this.#absence(device) === undefined) device.setState('online')
  }

  /** Throws when nobody has answered for so long that the connection itself may be dead. */
  #silent(peer: Peer, error: unknown, cost: number): void {
    const { clock, stats } = this.#options
    const reason = describeError(error)
    this.#unanswered++
    stats.silentCalls++
    this.#dispatch.silent(peer, reason, cost, clock.monotonic())
    this.#works.fail(unavailable(peer.key, reason), (id) => [...peer.devices].some((device) => device.id === id))
    for (const device of peer.devices) device.lose(reason)
    const most = MOST_UNANSWERED + this.#dispatch.peers - 1
    if (this.#dispatch.areAllSilent && this.#unanswered >= most) throw error
  }

  #lost(error: unknown): void {
    const { log, key, mapper, stats } = this.#options
    const reason = describeError(error)
    if (this.#down === undefined) {
      stats.lostConnections++
      const fields = { mapper: mapper.protocol, line: key, devices: this.#devices.size, error }
      // That each of its devices is silent has been told.
      if (isDeviceSilent(error)) log.debug('Nobody answers: the connection is made anew', fields)
      else log.warn('The connection is lost', fields)
    }
    this.#down = reason
    this.#works.fail(unavailable(key, reason))
    for (const device of this.#devices.values()) device.lose(reason)
  }

  /** What it recorded comes before anything newer. */
  #hasGap(device: ServedDevice): boolean {
    return this.#hasHistory && device.hasGap
  }

  /** Orders of a device that is away wait, and are told so. */
  #postpone(device: ServedDevice): void {
    const absence = this.#absence(device)
    if (absence !== undefined) device.lose(absence)
  }

  #absence(device: ServedDevice): string | undefined {
    return this.#down ?? device.away ?? this.#dispatch.peerOf(device)?.silence?.reason
  }

  #drop(id: DeviceId): void {
    const before = this.#devices.get(id)
    if (!before) return
    this.#dispatch.remove(before)
    this.#watches.remove(id)
  }
}

function unavailable(device: string, reason: string): UnavailableError {
  return new UnavailableError('The device cannot be reached', {
    code: 'MAPPERS_DEVICE_AWAY',
    fields: { device },
    cause: new Error(reason),
  })
}
