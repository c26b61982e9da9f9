import type { Clock, Random } from '../../../platform/time/index.ts'
import type { DeviceId, DeviceOrders, DeviceState, PropertyReading, WriteResult } from '../../../schemas/index.ts'
import type { Outcome, Reading, VisitId } from '../../contract/index.ts'
import type { DevicePlan, PropertyPlan } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import type { DeviceStats } from '../stats.ts'
import { type Echo, isNews, type Sent, toReading } from '../values/reading.ts'
import { OrderProgress } from './order.ts'
import type { Reporter } from './reporter.ts'

export interface ServedDeviceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly settings: HostSettings
  readonly reporter: Reporter
  readonly stats: DeviceStats
  /** What was true of the same device under an earlier plan. */
  readonly before?: ServedDevice | undefined
}

/** One property in the hands of its line. */
export interface ServedProperty {
  readonly id: VisitId
  readonly cycleMs: number
  readonly plan: PropertyPlan
  readonly device: ServedDevice
  last?: Sent
  /** When its driver pushed it last, monotonic ms. */
  pushedAt?: number
  failed?: string | undefined
  order?: OrderProgress
  /** Where the wish that was written reads a little unlike itself. */
  echo?: Echo | undefined
}

/** Of asking for what a device recorded during an outage, when it falls silent over it. */
const MOST_GAP_TRIES = 3

/** One device under one plan: its last readings, its state and its orders. */
export class ServedDevice {
  readonly id: DeviceId
  readonly plan: DevicePlan
  readonly properties: readonly ServedProperty[]
  readonly #options: ServedDeviceOptions
  #state: string | undefined
  /** Of the newest good reading that the source gave, Unix ms. */
  #lastGood: number | undefined
  #gapSince: number | undefined
  #gapTries = 0
  #isNew = true
  #away: string | undefined
  /** A property with the shortest cycle, and when it was read last, monotonic ms. */
  readonly #pace: ServedProperty | undefined
  #pacedAt: number | undefined

  constructor(plan: DevicePlan, options: ServedDeviceOptions) {
    this.id = plan.id
    this.plan = plan
    this.#options = options
    this.properties = plan.properties.map((property) => ({
      id: property.visit.id,
      cycleMs: property.collect.milliseconds,
      plan: property,
      device: this,
    }))
    this.#pace = this.properties
      .filter(({ plan: { isPolled } }) => isPolled)
      .reduce<ServedProperty | undefined>((a, b) => (a && a.cycleMs <= b.cycleMs ? a : b), undefined)
    options.stats.plannedCycleMs = this.#pace?.cycleMs ?? 0
    options.stats.cycleMs = 0
    if (options.before?.plan.uid === plan.uid) this.#inherit(options.before)
  }

  /** True when something new has to be written. Wishes for properties that are not served are answered at once. */
  setOrders(orders: DeviceOrders | undefined): boolean {
    const { settings, random, reporter } = this.#options
    let news = false
    for (const property of this.properties) {
      const order = orders?.properties[property.plan.model.name]
      if (property.order?.order.id === order?.id) continue
      delete property.order
      delete property.echo
      if (!order) continue
      property.order = new OrderProgress(order, settings.rewrite, random)
      news = true
    }
    reporter.report(this.id, [], this.#homeless(orders))
    return news
  }

  /** Answers to wishes for what is not served here. */
  #homeless(orders: DeviceOrders | undefined): readonly WriteResult[] {
    const served = new Set(this.properties.map(({ plan }) => plan.model.name))
    const callables = new Set(this.plan.callables.map(({ model }) => model.name))
    const results: WriteResult[] = []
    for (const [property, order] of Object.entries(orders?.properties ?? {})) {
      if (served.has(property)) continue
      const failure = callables.has(property)
        ? { reason: 'NotWritable', message: `${property} is a method: it is called, and takes no desired value` }
        : { reason: 'NoVisitor', message: `nothing says how property ${property} is written` }
      results.push({ property, orderId: order.id, value: order.value, failure })
    }
    return results
  }

  /** The reading if the twin has to hear of it. */
  take(property: ServedProperty, outcome: Outcome<Reading>): PropertyReading {
    const reading = toReading(property.plan, outcome, this.#options.clock.now(), property.echo)
    property.failed = reading.quality === 'bad' ? (reading.cause ?? 'no value') : undefined
    if (reading.quality === 'good') this.#lastGood = Math.max(this.#lastGood ?? 0, reading.sourceTime)
    return reading
  }

  /** Its driver pushed it just now. */
  pushed(property: ServedProperty): void {
    property.pushedAt = this.#options.clock.monotonic()
  }

  /** It was read, with so many properties that could not be. */
  count(read: readonly ServedProperty[], failures: number): void {
    const { stats, clock } = this.#options
    stats.reads++
    stats.failures += failures
    if (!this.#pace || !read.includes(this.#pace)) return
    const now = clock.monotonic()
    if (this.#pacedAt !== undefined) stats.cycleMs = now - this.#pacedAt
    this.#pacedAt = now
  }

  /** Marks the reading as sent when it is news. */
  isNews(property: ServedProperty, reading: PropertyReading): boolean {
    const now = this.#options.clock.monotonic()
    if (!isNews(property.plan, property.last, reading, now)) return false
    this.sent(property, reading)
    return true
  }

  sent(property: ServedProperty, reading: PropertyReading): void {
    property.last = { reading, at: this.#options.clock.monotonic() }
  }

  /** Why it is away by its own word: it is offline, whatever its readings say, and is not written to. */
  get away(): string | undefined {
    return this.#away
  }

  /** True when it comes or goes. */
  setPresence(presence: 'here' | 'away', reason = 'the device says that it is offline'): boolean {
    const before = this.#away
    this.#away = presence === 'away' ? reason : undefined
    if (this.#away === undefined) this.judge()
    else if (this.#away !== before) this.lose(this.#away)
    return (before === undefined) !== (this.#away === undefined)
  }

  /** Watched anew: what it said before may be true no more. */
  forgetPresence(): void {
    this.#away = undefined
  }

  /** Online as long as anything of it can be read. */
  judge(): void {
    if (this.#away !== undefined) return
    const [first] = this.properties
    if (!first || this.properties.some(({ failed }) => failed === undefined)) this.setState('online')
    else this.setState('unhealthy', `no property can be read; ${first.plan.model.name}: ${first.failed}`)
  }

  /** An outage was or is: the newest good reading before it, Unix ms. */
  get gapSince(): number | undefined {
    return this.#gapSince
  }

  /** There may be something to ask for: of a device that nobody here has served before, only its twin knows. */
  get hasGap(): boolean {
    return this.#gapSince !== undefined || this.#isNew
  }

  /** What was recorded during the outage has been asked for. */
  closeGap(): void {
    this.#gapSince = undefined
    this.#isNew = false
    this.#gapTries = 0
  }

  /** It could not be asked for so often that this outage is left alone: its history must not keep the device from being read. */
  gapFailed(): void {
    this.#gapTries++
    if (this.#gapTries < MOST_GAP_TRIES) return
    this.closeGap()
    // The next outage begins with the next good reading.
    this.#lastGood = undefined
  }

  /** The connection is gone, and with it everything that waited for it. */
  lose(reason: string): void {
    this.#gapSince ??= this.#lastGood
    this.setState('offline', reason)
    const writes: WriteResult[] = []
    for (const { plan, order } of this.properties) {
      const told = order?.postpone(plan.model.name, reason)
      if (told) writes.push(told)
      order?.renew()
    }
    this.#options.reporter.report(this.id, [], writes)
  }

  setState(state: DeviceState, reason?: string): void {
    const text = `${state}: ${reason ?? ''}`
    if (this.#state === text) return
    this.#state = text
    this.#options.stats.state = state
    this.#options.reporter.state({ id: this.id, state, ...(reason === undefined ? {} : { reason }) })
  }

  /** An order that was fulfilled under the old plan stands, unless the way to write it changed. */
  #inherit(before: ServedDevice): void {
    this.#lastGood = before.#lastGood
    this.#gapSince = before.#gapSince
    this.#isNew = before.#isNew
    for (const property of this.properties) {
      const old = before.properties.find(({ plan }) => plan.model.name === property.plan.model.name)
      if (old?.order && sameWay(old.plan, property.plan)) {
        property.order = old.order
        property.echo = old.echo
      }
    }
  }
}

function sameWay(left: PropertyPlan, right: PropertyPlan): boolean {
  const wayOf = ({ visit, model, conversion }: PropertyPlan) =>
    JSON.stringify([visit.device, visit.visitor, model, conversion?.text])
  return wayOf(left) === wayOf(right)
}
