import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import {
  formatValue,
  type Parsed,
  type PropertyReading,
  type PropertyValue,
  parseValue,
  refuseDesired,
  sameValue,
  type WriteResult,
} from '../../../schemas/index.ts'
import { isDeviceSilent, type Order, type Outcome, type Reading, type VisitId } from '../../contract/index.ts'
import type { AnyMapper, AnyVisit, PropertyPlan } from '../admission/admission.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { type BitField, writeBits } from '../values/bit-field.ts'
import { type Echo, toReading } from '../values/reading.ts'
import { callDriver } from './call.ts'
import type { OrderProgress } from './order.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'

export interface OrdersContext {
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Pick<Reporter, 'report'>
  readonly signal: AbortSignal
}

interface Due {
  readonly property: ServedProperty
  readonly progress: OrderProgress
  /** The wish in its canonical text, and as the device holds it; of a property with `bits`, their field alone. */
  readonly text: string
  readonly order: Order<unknown, unknown>
}

/** Writes what is due, reads it back and reports both. Throws what costs the connection, and a DeviceSilentError. */
export async function writeOrders(
  devices: Iterable<Pick<ServedDevice, 'away' | 'properties'>>,
  connection: AsyncDisposable,
  context: OrdersContext,
): Promise<void> {
  const reports = new Reports()
  const due = withoutSuspects(dueOrders(devices, context, reports))
  try {
    if (due.length > 0) await writeAll(due, connection, context, reports)
  } finally {
    reports.send(context.reporter)
  }
}

/** Orders that the connection was lost over are written one at a time, after the others: one of them may be the reason. */
function withoutSuspects(due: readonly Due[]): readonly Due[] {
  const others = due.filter(({ progress }) => !progress.isSuspect)
  return others.length > 0 ? others : due.slice(0, 1)
}

/** Checks every due order; those that can never be written are answered here. */
function dueOrders(
  devices: Iterable<Pick<ServedDevice, 'away' | 'properties'>>,
  context: OrdersContext,
  reports: Reports,
): readonly Due[] {
  const now = context.clock.monotonic()
  const due: Due[] = []
  for (const device of devices) {
    if (device.away !== undefined) continue
    for (const property of device.properties) {
      const progress = property.order
      if (progress?.due === undefined || progress.due > now) continue
      const { model, visit } = property.plan
      const wish = wishOf(property.plan, progress.order.value)
      const inability = inabilityOf(property.plan, context.mapper)
      if (!wish.ok) {
        reports.add(property, progress.refuse(model.name, 'Refused', `${progress.order.value} ${wish.reason}`))
      } else if (inability !== undefined) {
        reports.add(property, progress.refuse(model.name, 'NotWritable', inability))
      } else due.push({ property, progress, text: wish.value.text, order: { ...visit, value: wish.value.raw } })
    }
  }
  return due
}

/** What a wish is on the device, or why it can never be written. Bounds are those of the value, whatever the device holds. */
export function wishOf(
  { model, conversion }: PropertyPlan,
  wanted: string,
): Parsed<{ text: string; raw: PropertyValue }> {
  const refusal = refuseDesired(model, wanted)
  if (refusal !== undefined) return { ok: false, reason: refusal }
  const parsed = parseValue(model.type ?? 'STRING', wanted)
  if (!parsed.ok) return parsed
  const text = formatValue(parsed.value)
  const raw = conversion ? conversion.write(text) : parsed
  return raw.ok ? { ok: true, value: { text, raw: raw.value } } : raw
}

function inabilityOf({ conversion }: PropertyPlan, mapper: AnyMapper): string | undefined {
  if (!mapper.write) return `mapper ${mapper.protocol} cannot write`
  if (conversion?.bits && !mapper.read)
    return `mapper ${mapper.protocol} cannot read the bits beside those to be written`
  return undefined
}

async function writeAll(due: readonly Due[], connection: AsyncDisposable, context: OrdersContext, reports: Reports) {
  const { mapper, stats } = context
  let during = 'writing'
  try {
    const written = await write(due, connection, context)
    stats.writes += due.length
    during = 'reading back'
    const ok = due.filter(({ order }) => written.get(order.id)?.ok)
    const visits = ok.map(({ property }) => property.plan.visit)
    const back = mapper.read && visits.length > 0
    const read: Outcomes<Reading> = back ? await readAll(visits, connection, context) : new Map()
    for (const each of due) settle(each, written.get(each.order.id), read.get(each.order.id), context, reports)
  } catch (error) {
    const now = context.clock.monotonic()
    stats.failedWrites += due.length
    // The line says for all orders of the device that it is away.
    if (isDeviceSilent(error)) throw error
    for (const { property, progress } of due) {
      const message = `the connection was lost while ${during}: ${describeError(error)}`
      reports.add(property, progress.lose(property.plan.model.name, message, now))
    }
    throw error
  }
}

/** All in one call, but fields of bits one after the other: two of them may be in one register. */
async function write(
  due: readonly Due[],
  connection: AsyncDisposable,
  context: OrdersContext,
): Promise<Outcomes<void>> {
  const whole = due.filter(({ property }) => !property.plan.conversion?.bits)
  const orders = whole.map(({ order }) => order)
  const written = new Map(orders.length > 0 ? await send(orders, connection, context) : [])
  for (const each of due) {
    const bits = each.property.plan.conversion?.bits
    if (bits) written.set(each.order.id, await writeField(each, bits, connection, context))
  }
  return written
}

/** Nothing else happens on the line between reading the other bits and writing them. */
async function writeField(
  { property, order }: Due,
  bits: BitField,
  connection: AsyncDisposable,
  context: OrdersContext,
): Promise<Outcome<void>> {
  const before = (await readAll([property.plan.visit], connection, context)).get(order.id)
  if (!before?.ok) return failed(`the bits beside it cannot be read: ${describeError(before?.error)}`)
  const field = typeof order.value === 'bigint' ? order.value : Number(order.value)
  const value = writeBits(bits, before.value.value, field)
  if (!value.ok) return failed(`the bits beside it cannot be kept: ${value.reason}`)
  const written = await send([{ ...order, value: value.value }], connection, context)
  return written.get(order.id) ?? failed('no answer')
}

function failed(message: string): { readonly ok: false; readonly error: Error } {
  return { ok: false, error: new Error(message) }
}

function settle(
  { property, progress, text, order }: Due,
  written: Outcome<void> | undefined,
  read: Outcome<Reading> | undefined,
  context: OrdersContext,
  reports: Reports,
): void {
  const { plan } = property
  const name = plan.model.name
  // What was not written is not read back either; the next cycle reads it.
  const back = written?.ok ? (read ?? assumed(order)) : undefined
  const reading = back && toReading(plan, back, context.clock.now(), { raw: order.value, text })
  const failure = failureOf({ property, progress, text, order }, written, back, reading)
  if (failure) context.stats.failedWrites++
  else if (back) property.echo = echoOf(plan, back, text, order.value)
  const result = failure
    ? progress.fail(name, failure.reason, failure.message, context.clock.monotonic())
    : progress.succeed(name)
  reports.add(property, result, reading)
}

/** Needed where the raw value that was written reads a little unlike the wish. */
function echoOf(plan: PropertyPlan, back: Outcome<Reading>, text: string, raw: PropertyValue): Echo | undefined {
  return plan.conversion && toReading(plan, back, 0).value !== text ? { raw, text } : undefined
}

/** What stands in for a read-back where the protocol cannot read. */
function assumed(order: Order<unknown, unknown>): Outcome<Reading> {
  const cause = 'written, but this protocol cannot read it back'
  return { ok: true, value: { value: order.value, quality: 'uncertain', cause } }
}

function failureOf(
  { property, progress, text, order }: Due,
  written: Outcome<void> | undefined,
  back: Outcome<Reading> | undefined,
  reading: PropertyReading | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  const { conversion, model } = property.plan
  const wanted = progress.order.value
  if (!written?.ok) {
    const reason = written ? describeError(written.error) : 'no answer'
    const isOther = conversion && !conversion.bits && String(order.value) !== wanted
    return { reason: 'WriteFailed', message: isOther ? `${wanted} is ${order.value} on the device: ${reason}` : reason }
  }
  if (reading?.value === undefined || !back?.ok) {
    return { reason: 'ReadBackFailed', message: `written, but not read back: ${reading?.cause ?? 'no value'}` }
  }
  const raw = back.value.value
  const isKept = conversion
    ? conversion.confirms(order.value, raw, text)
    : sameValue(model.type ?? 'STRING', reading.value, wanted)
  if (isKept) return undefined
  const shown = conversion ? `${reading.value} (raw ${formatValue(raw)})` : reading.value
  return { reason: 'ReadBackMismatch', message: `${wanted} was written, but the device answers ${shown}` }
}

type Outcomes<T> = ReadonlyMap<VisitId, Outcome<T>>

function readAll(visits: readonly AnyVisit[], connection: AsyncDisposable, context: OrdersContext) {
  const { mapper } = context
  return callDriver<Reading>(visits, context, async (signal) => mapper.read?.(connection, visits, signal) ?? new Map())
}

function send(orders: readonly Order<unknown, unknown>[], connection: AsyncDisposable, context: OrdersContext) {
  const { mapper } = context
  return callDriver<void>(orders, context, async (signal) => mapper.write?.(connection, orders, signal) ?? new Map())
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

  send(reporter: Pick<Reporter, 'report'>): void {
    for (const [device, { readings, writes }] of this.#devices) reporter.report(device.id, readings, writes)
  }
}
