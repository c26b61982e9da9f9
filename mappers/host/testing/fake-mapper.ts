import { Type } from 'typebox'
import {
  configSchema,
  defineMapper,
  type Order,
  type Outcome,
  type Reading,
  type Results,
  type Visit,
  type VisitId,
} from '../../contract/index.ts'

export const FakeDevice = configSchema(
  Type.Object({
    line: Type.String({ minLength: 1 }),
    unit: Type.Integer({ default: 1 }),
    patience: Type.Optional(Type.Integer()),
  }),
)
export const FakeVisitor = configSchema(Type.Object({ address: Type.String({ minLength: 1 }) }))

interface DeviceConfig {
  readonly line: string
  readonly unit: number
  readonly patience?: number
}
interface VisitorConfig {
  readonly address: string
}
type Value = number | string | boolean

/** A driver over a table in memory, which notes every call and fails as told. */
export class FakeField {
  readonly values = new Map<string, Value>()
  /** Addresses that fail by themselves. */
  readonly broken = new Map<string, string>()
  /** Addresses that take a write and keep their value. */
  readonly stubborn = new Set<string>()
  readonly batches: string[][] = []
  readonly written: [address: string, value: unknown][] = []
  /** Ids of all visits of reads. */
  readonly asked: VisitId[] = []
  ignoresSignal = false
  /** When set, every call and every connect waits for it. */
  stalled: Promise<void> | undefined
  /** When set, closing a connection takes that long. */
  closing: Promise<void> | undefined
  refuses: string | undefined
  breaks: string | undefined
  forgets: string | undefined
  invents: VisitId | undefined
  connects = 0
  disposals = 0
  underWay = 0
  overlaps = 0

  async call<T>(work: () => T, signal: AbortSignal): Promise<T> {
    this.underWay++
    if (this.underWay > 1) this.overlaps++
    try {
      await this.#stall(signal)
      if (this.breaks) throw new Error(this.breaks)
      return work()
    } finally {
      this.underWay--
    }
  }

  connect(signal: AbortSignal): Promise<AsyncDisposable> {
    this.connects++
    return this.#stall(signal).then(() => {
      if (this.refuses) throw new Error(this.refuses)
      return {
        [Symbol.asyncDispose]: async () => {
          await this.closing
          this.disposals++
        },
      }
    })
  }

  #stall(signal: AbortSignal): Promise<void> {
    if (this.ignoresSignal) return this.stalled ?? Promise.resolve()
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    aborted.catch(() => undefined)
    return this.stalled ? Promise.race([this.stalled, aborted]) : Promise.resolve()
  }
}

export function fakeMapper(field: FakeField) {
  return defineMapper({
    contract: 1,
    protocol: 'fake',
    deviceConfig: FakeDevice,
    visitorConfig: FakeVisitor,
    connectionKey: (device) => device.line,
    deadline: (device) => device.patience,
    reject: (_property, visitor) => (visitor.address === 'never' ? 'nobody lives there' : undefined),
    connect: (_device, { signal }) => field.connect(signal),
    read: (_connection, visits, signal) => field.call(() => readAll(field, visits), signal),
    write: (_connection, orders, signal) => field.call(() => writeAll(field, orders), signal),
  })
}

function placeOf({ device, visitor }: Visit<DeviceConfig, VisitorConfig>): string {
  return device.unit === 1 ? visitor.address : `${device.unit}:${visitor.address}`
}

function readAll(field: FakeField, visits: readonly Visit<DeviceConfig, VisitorConfig>[]): Results<Reading> {
  const results = new Map<VisitId, Outcome<Reading>>()
  field.batches.push(visits.map(placeOf))
  field.asked.push(...visits.map(({ id }) => id))
  for (const visit of visits) {
    const place = placeOf(visit)
    const broken = field.broken.get(place)
    if (field.forgets === place) continue
    if (broken !== undefined) results.set(visit.id, { ok: false, error: new Error(broken) })
    else results.set(visit.id, { ok: true, value: { value: field.values.get(place) ?? 0 } })
  }
  if (field.invents) results.set(field.invents, { ok: true, value: { value: 1 } })
  return results
}

function writeAll(field: FakeField, orders: readonly Order<DeviceConfig, VisitorConfig>[]): Results<void> {
  const results = new Map<VisitId, Outcome<void>>()
  for (const order of orders) {
    const place = placeOf(order)
    const broken = field.broken.get(place)
    if (broken !== undefined) {
      results.set(order.id, { ok: false, error: new Error(broken) })
      continue
    }
    field.written.push([place, order.value])
    if (!field.stubborn.has(place) && !(order.value instanceof Uint8Array) && typeof order.value !== 'bigint') {
      field.values.set(place, order.value)
    }
    results.set(order.id, { ok: true, value: undefined })
  }
  return results
}
