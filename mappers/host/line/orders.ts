import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { type PropertyReading, parseValue, refuseDesired, sameValue, type WriteResult } from '../../../schemas/index.ts'
import { isDeviceSilent, type Order, type Outcome, type Reading, type VisitId } from '../../contract/index.ts'
import type { AnyMapper, AnyVisit } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { toReading } from '../values/reading.ts'
import { callDriver } from './call.ts'
import type { OrderProgress } from './order.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'

export interface OrdersContext {
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Reporter
  readonly signal: AbortSignal
}

interface Due {
  readonly property: ServedProperty
  readonly progress: OrderProgress
  readonly order: Order<unknown, unknown>
}

/** Writes what is due, reads it back and reports both. Throws what costs the connection, and a DeviceSilentError. */
export async function writeOrders(
  devices: Iterable<ServedDevice>,
  connection: AsyncDisposable,
  context: OrdersContext,
): Promise<void> {
  const reports = new Reports()
  const due = dueOrders(devices, context, reports)
  try {
    if (due.length > 0) await writeAll(due, connection, context, reports)
  } finally {
    reports.send(context.reporter)
  }
}

/** Checks every due order; those that can never be written are answered here. */
function dueOrders(devices: Iterable<ServedDevice>, context: OrdersContext, reports: Reports): readonly Due[] {
  const now = context.clock.monotonic()
  const due: Due[] = []
  for (const device of devices) {
    if (device.away !== undefined) continue
    for (const property of device.properties) {
      const progress = property.order
      if (progress?.due === undefined || progress.due > now) continue
      const { model, visit } = property.plan
      const text = progress.order.value
      const refusal = refuseDesired(model, text)
      const parsed = parseValue(visit.property.type, text)
      if (refusal !== undefined || !parsed.ok) {
        reports.add(property, progress.refuse(model.name, 'Refused', `${text} ${refusal ?? 'is no value'}`))
      } else if (!context.mapper.write) {
        const message = `mapper ${context.mapper.protocol} cannot write`
        reports.add(property, progress.refuse(model.name, 'NotWritable', message))
      } else due.push({ property, progress, order: { ...visit, value: parsed.value } })
    }
  }
  return due
}

async function writeAll(due: readonly Due[], connection: AsyncDisposable, context: OrdersContext, reports: Reports) {
  const { mapper, stats } = context
  let during = 'writing'
  try {
    const orders = due.map(({ order }) => order)
    const written = await call<void>(
      orders,
      context,
      async (signal) => mapper.write?.(connection, orders, signal) ?? new Map(),
    )
    stats.writes += due.length
    during = 'reading back'
    const ok = due.filter(({ order }) => written.get(order.id)?.ok)
    const visits = ok.map(({ property }) => property.plan.visit)
    const back = mapper.read && visits.length > 0
    const read: ReadonlyMap<VisitId, Outcome<Reading>> = back
      ? await call<Reading>(visits, context, async (signal) => mapper.read?.(connection, visits, signal) ?? new Map())
      : new Map()
    for (const each of due) settle(each, written.get(each.order.id), read.get(each.order.id), context, reports)
  } catch (error) {
    const now = context.clock.monotonic()
    stats.failedWrites += due.length
    // The line says for all orders of the device that it is away.
    if (isDeviceSilent(error)) throw error
    for (const { property, progress } of due) {
      const message = `the connection was lost while ${during}: ${describeError(error)}`
      reports.add(property, progress.fail(property.plan.model.name, 'ConnectionLost', message, now))
    }
    throw error
  }
}

function settle(
  { property, progress, order }: Due,
  written: Outcome<void> | undefined,
  read: Outcome<Reading> | undefined,
  context: OrdersContext,
  reports: Reports,
): void {
  const name = property.plan.model.name
  // What was not written is not read back either; the next cycle reads it.
  const reading = written?.ok ? toReading(property.plan, read ?? assumed(order), context.clock.now()) : undefined
  const failure = failureOf(property, progress.order.value, written, reading)
  if (failure) context.stats.failedWrites++
  const result = failure
    ? progress.fail(name, failure.reason, failure.message, context.clock.monotonic())
    : progress.succeed(name)
  reports.add(property, result, reading)
}

/** What stands in for a read-back where the protocol cannot read. */
function assumed(order: Order<unknown, unknown>): Outcome<Reading> {
  const cause = 'written, but this protocol cannot read it back'
  return { ok: true, value: { value: order.value, quality: 'uncertain', cause } }
}

function failureOf(
  property: ServedProperty,
  wanted: string,
  written: Outcome<void> | undefined,
  reading: PropertyReading | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (!written?.ok) return { reason: 'WriteFailed', message: written ? describeError(written.error) : 'no answer' }
  if (reading?.value === undefined) {
    return { reason: 'ReadBackFailed', message: `written, but not read back: ${reading?.cause ?? 'no value'}` }
  }
  if (sameValue(property.plan.visit.property.type, reading.value, wanted)) return undefined
  return { reason: 'ReadBackMismatch', message: `${wanted} was written, but the device answers ${reading.value}` }
}

function call<T>(
  visits: readonly AnyVisit[],
  { clock, settings, mapper, signal }: OrdersContext,
  work: (signal: AbortSignal) => Promise<ReadonlyMap<VisitId, Outcome<T>>>,
) {
  return callDriver<T>(visits, { clock, settings, mapper, signal }, work)
}

/** When the next order of these devices is due, monotonic ms. */
export function nextDue(devices: Iterable<ServedDevice>): number | undefined {
  let earliest: number | undefined
  for (const { properties, away } of devices) {
    if (away !== undefined) continue
    for (const { order } of properties) {
      if (order?.due !== undefined && (earliest === undefined || order.due < earliest)) earliest = order.due
    }
  }
  return earliest
}

/** Collects what one round of writing has to tell, so that reading and write result are in one report. */
class Reports {
  readonly #devices = new Map<ServedDevice, { readings: PropertyReading[]; writes: WriteResult[] }>()

  add(property: ServedProperty, result: WriteResult | undefined, reading?: PropertyReading): void {
    const { device } = property
    const report = this.#devices.get(device) ?? { readings: [], writes: [] }
    this.#devices.set(device, report)
    if (result) report.writes.push(result)
    if (!reading) return
    report.readings.push(reading)
    device.sent(property, reading)
  }

  send(reporter: Reporter): void {
    for (const [device, { readings, writes }] of this.#devices) reporter.report(device.id, readings, writes)
  }
}
