import { Type } from 'typebox'
import {
  configSchema,
  DeviceSilentError,
  defineMapper,
  type MapperContext,
  type Order,
  type Outcome,
  type Reading,
  type Report,
  type Visit,
  type VisitId,
} from '../../contract/index.ts'

const DeviceConfig = configSchema(Type.Object({ line: Type.String(), unit: Type.Integer({ default: 1 }) }))
const VisitorConfig = configSchema(Type.Object({ address: Type.String(), method: Type.Boolean({ default: false }) }))

interface Config {
  readonly line: string
  readonly unit: number
}
interface Place {
  readonly address: string
  readonly method: boolean
}
type BusVisit = Visit<Config, Place>

/** A serial line on virtual time: one unit speaks at a time, a call takes as long as its unit, and who is off is waited for. */
export class FakeBus {
  readonly values = new Map<string, number | bigint | string | boolean>()
  readonly off = new Set<number>()
  /** How long a call of a unit takes, ms; default `readMs`. */
  readonly slow = new Map<number, number>()
  readonly calls: { readonly at: number; readonly unit: number; readonly visits: number; readonly kind: string }[] = []
  readonly written: (readonly [place: string, value: unknown])[] = []
  /** What each unit recorded: place, value, source time. */
  readonly recorded: (readonly [place: string, value: number, at: number])[] = []
  historySince: number[] = []
  historyFails: string | undefined
  breaks: string | undefined
  connects = 0
  readMs = 40
  silenceMs = 1000
  #clock: MapperContext['clock'] | undefined

  /** Virtual ms that calls of this unit took; by default of all. */
  callsOf(unit: number, kind = 'read'): number {
    return this.calls.filter((call) => call.unit === unit && call.kind === kind).length
  }

  open(clock: MapperContext['clock']): AsyncDisposable {
    this.connects++
    this.#clock = clock
    return { [Symbol.asyncDispose]: async () => undefined }
  }

  async call(kind: string, visits: readonly BusVisit[], signal: AbortSignal): Promise<void> {
    const unit = visits[0]?.device.unit ?? 0
    const others = visits.filter(({ device }) => device.unit !== unit)
    if (others.length > 0) throw new Error('a call holds two peers')
    if (visits.length === 0) throw new Error('a call holds no visit')
    this.calls.push({ at: this.#clock?.now() ?? 0, unit, visits: visits.length, kind })
    const isOff = this.off.has(unit)
    await this.#clock?.sleep(isOff ? this.silenceMs : (this.slow.get(unit) ?? this.readMs), signal)
    if (this.breaks) throw new Error(this.breaks)
    if (isOff) throw new DeviceSilentError(`unit ${unit} does not answer`)
  }
}

/** The mapper of such a line; with `history`, what was recorded can be asked for. */
export function busMapper(bus: FakeBus) {
  return defineMapper({
    contract: 1,
    protocol: 'fake',
    deviceConfig: DeviceConfig,
    visitorConfig: VisitorConfig,
    connectionKey: ({ line }) => line,
    peer: ({ unit }) => String(unit),
    deadline: () => bus.silenceMs + 100,
    busTime: () => bus.readMs,
    isCallable: ({ method }) => method,
    connect: async (_device, { clock }) => bus.open(clock),
    read: async (_connection, visits, signal) => {
      await bus.call('read', visits, signal)
      const value = (visit: BusVisit) => bus.values.get(placeOf(visit)) ?? 0
      return new Map(visits.map((visit): [VisitId, Outcome<Reading>] => [visit.id, ok({ value: value(visit) })]))
    },
    write: async (_connection, orders: readonly Order<Config, Place>[], signal) => {
      await bus.call('write', orders, signal)
      for (const order of orders) {
        bus.written.push([placeOf(order), order.value])
        if (!(order.value instanceof Uint8Array)) bus.values.set(placeOf(order), order.value)
      }
      return new Map(orders.map((order): [VisitId, Outcome<void>] => [order.id, ok(undefined)]))
    },
  })
}

export function recordingMapper(bus: FakeBus) {
  const history = async (
    _connection: AsyncDisposable,
    visits: readonly BusVisit[],
    since: number,
    report: Report,
    signal: AbortSignal,
  ) => {
    bus.historySince.push(since)
    await bus.call('history', visits, signal)
    if (bus.historyFails) throw new Error(bus.historyFails)
    for (const visit of visits) {
      for (const [place, value, sourceTime] of bus.recorded) {
        if (place === placeOf(visit)) report(visit.id, ok({ value, sourceTime }))
      }
    }
  }
  return defineMapper({ ...busMapper(bus), history })
}

function placeOf({ device, visitor }: BusVisit): string {
  return `${device.unit}:${visitor.address}`
}

function ok<T>(value: T): Outcome<T> {
  return { ok: true, value }
}
