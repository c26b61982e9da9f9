import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, ms, type Random, withDeadline } from '../../../platform/time/index.ts'
import {
  type CallCode,
  type CallRefusal,
  type CallResult,
  type DeviceCall,
  type DeviceCallAnswer,
  type DeviceMethod,
  formatValue,
  type PropertyReading,
  type PropertyValue,
  type WriteResult,
} from '../../../schemas/index.ts'
import { isDeviceSilent, type Outcome, type Reading } from '../../contract/index.ts'
import type { AnyMapper, PropertyPlan } from '../admission/admission.ts'
import { callDriver, deadlineOf } from '../line/call.ts'
import { deliver } from '../line/deliver.ts'
import type { Line } from '../line/line.ts'
import { OrderProgress } from '../line/order.ts'
import { writeOrders } from '../line/orders.ts'
import type { Reporter } from '../line/reporter.ts'
import type { ServedDevice, ServedProperty } from '../line/served-device.ts'
import type { HostSettings } from '../settings.ts'
import type { HostStats } from '../stats.ts'
import { type CallPlan, planCall } from './plan-call.ts'

export interface CallContext {
  readonly mapper: AnyMapper
  readonly clock: Clock
  readonly random: Random
  readonly settings: HostSettings
  readonly stats: HostStats
  readonly reporter: Reporter
}

/** Runs one call of a method in a turn of the device's line. Never rejects. */
export async function runCall(
  line: Line,
  device: ServedDevice,
  methods: readonly DeviceMethod[],
  call: DeviceCall,
  context: CallContext,
): Promise<DeviceCallAnswer> {
  const plan = planCall(device, methods, call, context.mapper)
  if (!plan.ok) return plan
  const done = new Map<string, CallResult>()
  try {
    return await line.work(device.id, ms(call.timeout), (connection, served, signal) =>
      // A device that was changed meanwhile has another plan.
      served === device
        ? new Running(plan, call, done, { ...context, connection, device, signal }).run()
        : Promise.resolve(refusal(503, 'the device was changed just now; call again', done)),
    )
  } catch (error) {
    return refusal(codeOf(error), describeError(error), done)
  }
}

interface RunningContext extends CallContext {
  readonly connection: AsyncDisposable
  readonly device: ServedDevice
  readonly signal: AbortSignal
}

class Running {
  readonly #plan: CallPlan
  readonly #call: DeviceCall
  readonly #done: Map<string, CallResult>
  readonly #context: RunningContext

  constructor(plan: CallPlan, call: DeviceCall, done: Map<string, CallResult>, context: RunningContext) {
    this.#plan = plan
    this.#call = call
    this.#done = done
    this.#context = context
  }

  async run(): Promise<DeviceCallAnswer> {
    const failure = (await this.#write()) ?? (await this.#callAll()) ?? (await this.#read())
    return failure === undefined
      ? { ok: true, results: Object.fromEntries(this.#done) }
      : refusal(502, failure, this.#done)
  }

  /** As an order of its own: written and read back as every order, and told to the caller instead of to the twin. */
  async #write(): Promise<string | undefined> {
    const { device, connection, settings, random, reporter } = this.#context
    const { writes } = this.#plan
    if (writes.length === 0) return undefined
    const properties = writes.map(({ property, text }) => ({
      ...property,
      order: new OrderProgress({ id: 'call', value: text }, settings.rewrite, random),
    }))
    const told: WriteResult[] = []
    const readBack: PropertyReading[] = []
    const heard: Pick<Reporter, 'report'> = {
      report(_id, readings, results = []) {
        readBack.push(...readings)
        told.push(...results)
      },
    }
    try {
      await writeOrders([{ away: device.away, properties }], connection, { ...this.#context, reporter: heard })
    } finally {
      this.#tell(readBack)
      reporter.report(device.id, readBack)
    }
    const failures = told.flatMap(({ property, failure }) => (failure ? [`${property}: ${failure.message}`] : []))
    if (told.length < writes.length) failures.push('the device went away')
    return failures.length === 0 ? undefined : failures.join('; ')
  }

  /** What was read back is what the caller and the twin hear. */
  #tell(readBack: readonly PropertyReading[]): void {
    for (const reading of readBack) {
      const written = this.#plan.writes.find(({ property }) => property.plan.model.name === reading.property)
      if (written) this.#context.device.sent(written.property, reading)
      if (reading.value !== undefined) this.#done.set(reading.property, reading.value)
    }
  }

  async #callAll(): Promise<string | undefined> {
    for (const { plan, arguments: given } of this.#plan.calls) {
      const outcome = await this.#callOne(plan, given)
      const { name } = plan.model
      if (!outcome.ok) return `${name}: ${describeError(outcome.error)}`
      const texts = outcome.value.map(formatValue)
      this.#done.set(name, texts.length > 1 ? texts : (texts[0] ?? null))
    }
    return undefined
  }

  /** A method may take as long as its caller waits, or as any call of the driver if that is longer. */
  #callOne({ visit }: PropertyPlan, given: readonly PropertyValue[]) {
    const { mapper, connection, clock, signal } = this.#context
    const deadline = ms(Math.max(deadlineOf([visit], this.#context).milliseconds, this.#call.timeout))
    return withDeadline(clock, deadline, signal, async (limited): Promise<Outcome<readonly PropertyValue[]>> => {
      const call = { ...visit, arguments: given }
      return (await mapper.call?.(connection, call, limited)) ?? { ok: true, value: [] }
    })
  }

  async #read(): Promise<string | undefined> {
    const { mapper, connection, reporter, stats } = this.#context
    const { reads } = this.#plan
    const visits = reads.map(({ plan }) => plan.visit)
    if (visits.length === 0) return undefined
    if (!mapper.read) return this.#recall(reads)
    const results = await callDriver<Reading>(visits, this.#context, async (limited) => {
      return mapper.read?.(connection, visits, limited) ?? new Map()
    })
    stats.failedVisits += deliver(reads, results, reporter)
    const failures: string[] = []
    for (const property of reads) {
      const { model } = property.plan
      const outcome = results.get(property.id)
      if (property.failed !== undefined) failures.push(`${model.name}: ${property.failed}`)
      else if (outcome?.ok) this.#done.set(model.name, this.#context.device.take(property, outcome).value ?? null)
    }
    return failures.length === 0 ? undefined : failures.join('; ')
  }

  /** Where the protocol only pushes, the last that was pushed. */
  #recall(reads: readonly ServedProperty[]): undefined {
    for (const { plan, last } of reads) this.#done.set(plan.model.name, last?.reading.value ?? null)
  }
}

function codeOf(error: unknown): CallCode {
  if (error instanceof UnavailableError) return 503
  return error instanceof DeadlineError || isDeviceSilent(error) ? 504 : 502
}

function refusal(code: CallCode, reason: string, done: ReadonlyMap<string, CallResult>): CallRefusal {
  return { ok: false, code, reason, ...(done.size > 0 ? { results: Object.fromEntries(done) } : {}) }
}
