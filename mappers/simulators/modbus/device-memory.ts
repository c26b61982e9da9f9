import { ConfigError } from '../../../platform/lifecycle/index.ts'
import type { PropertyValue } from '../../../schemas/index.ts'
import { decode, encode } from '../../modbus/codec.ts'
import { type Layout, layoutOf } from '../../modbus/layout.ts'
import type { Table } from '../../modbus/tables.ts'
import { type VisitorConfig, visitorConfig } from '../../modbus/visitor-config.ts'
import { type SimulatedDevice, WriteRefusal } from '../simulated-device.ts'
import { ILLEGAL_ADDRESS, ILLEGAL_VALUE, type ModbusMemory, ServerException } from './modbus-memory.ts'

/** Where one property is. */
interface Slot {
  readonly property: string
  readonly visitor: VisitorConfig
  readonly layout: Layout
  readonly start: number
  readonly end: number
  /** Other properties may have other bits of it. */
  readonly isShared: boolean
}

interface Span {
  readonly slots: readonly Slot[]
  readonly start: number
  readonly end: number
}

/**
 * The four tables of a device, as the visitors of its properties lay them out. What lies between two properties of a table is
 * read as 0 and cannot be written; what lies outside is an illegal address. Throws a ConfigError for a visitor that is wrong.
 */
export function deviceMemory(device: SimulatedDevice): ModbusMemory {
  return new DeviceMemory(device)
}

class DeviceMemory implements ModbusMemory {
  readonly #device: SimulatedDevice
  readonly #tables: ReadonlyMap<Table, Span>

  constructor(device: SimulatedDevice) {
    this.#device = device
    this.#tables = tablesOf(device)
  }

  readBits(table: 'coil' | 'discrete', _unitId: number, start: number, length: number): readonly boolean[] {
    return this.#read(table === 'coil' ? 'CoilRegister' : 'DiscreteInputRegister', start, length).map(Boolean)
  }

  readRegisters(table: 'holding' | 'input', _unitId: number, start: number, length: number): readonly number[] {
    return this.#read(table === 'holding' ? 'HoldingRegister' : 'InputRegister', start, length)
  }

  writeCoils(_unitId: number, start: number, values: readonly boolean[]): void {
    this.#write('CoilRegister', start, values.map(Number))
  }

  writeRegisters(_unitId: number, start: number, values: readonly number[]): void {
    this.#write('HoldingRegister', start, values)
  }

  #read(table: Table, start: number, length: number): number[] {
    const span = this.#tables.get(table)
    if (!span || start < span.start || start + length > span.end) throw new ServerException(ILLEGAL_ADDRESS)
    const words = new Array<number>(length).fill(0)
    for (const slot of span.slots) {
      if (slot.end <= start || slot.start >= start + length) continue
      for (const [index, word] of this.#wordsOf(slot).entries()) {
        const at = slot.start + index - start
        // Several properties may be bits of one register.
        if (at >= 0 && at < length) words[at] = slot.isShared ? (words[at] ?? 0) | word : word
      }
    }
    return words
  }

  /** All or nothing as far as addresses go; the values are judged one property after the other. */
  #write(table: Table, start: number, words: readonly number[]): void {
    const span = this.#tables.get(table)
    const end = start + words.length
    const touched = span?.slots.filter((slot) => slot.start < end && slot.end > start) ?? []
    for (let at = start; at < end; at++) {
      if (!touched.some((slot) => slot.start <= at && at < slot.end)) throw new ServerException(ILLEGAL_ADDRESS)
    }
    for (const slot of touched) {
      const held = [...this.#wordsOf(slot)]
      for (let at = Math.max(start, slot.start); at < Math.min(end, slot.end); at++) {
        held[at - slot.start] = words[at - start] ?? 0
      }
      this.#give(slot, held)
    }
  }

  #give(slot: Slot, words: readonly number[]): void {
    try {
      this.#device.write(slot.property, decode(words, slot.layout, slot.visitor))
    } catch (error) {
      if (!(error instanceof WriteRefusal)) throw error
      throw new ServerException(error.reason === 'read-only' ? ILLEGAL_ADDRESS : ILLEGAL_VALUE)
    }
  }

  #wordsOf({ property, layout, visitor }: Slot): readonly number[] {
    return encode(fitted(this.#device.read(property), layout, visitor), layout, visitor)
  }
}

function tablesOf(device: SimulatedDevice): ReadonlyMap<Table, Span> {
  const tables = new Map<Table, Slot[]>()
  for (const [index, { model, visitor, bits }] of device.properties.entries()) {
    if (Object.keys(visitor).length === 0) continue
    const pointer = `/spec/properties/${index}/visitors/configData`
    const parsed = visitorConfig.parse(visitor)
    if (!parsed.ok) {
      const [issue] = parsed.issues
      throw refused(device, model.name, `${pointer}${issue?.pointer ?? ''}`, issue?.message ?? 'is wrong')
    }
    const property = { name: model.name, type: model.type ?? 'STRING', accessMode: model.accessMode ?? 'ReadWrite' }
    const found = layoutOf(property, parsed.value)
    if (!found.ok) throw refused(device, model.name, pointer, found.reason)
    const { register, offset } = parsed.value
    const slots = tables.get(register) ?? []
    tables.set(register, slots)
    slots.push({
      property: model.name,
      visitor: parsed.value,
      layout: found.layout,
      start: offset,
      end: offset + found.layout.length,
      isShared: bits !== undefined || found.layout.dataType === 'bits',
    })
  }
  return new Map([...tables].map(([table, slots]) => [table, spanOf(slots)]))
}

function spanOf(slots: readonly Slot[]): Span {
  return {
    slots,
    start: Math.min(...slots.map((slot) => slot.start)),
    end: Math.max(...slots.map((slot) => slot.end)),
  }
}

function refused(device: SimulatedDevice, property: string, pointer: string, reason: string): ConfigError {
  return new ConfigError(`${device.name} cannot be simulated: ${property}: ${reason}`, {
    code: 'MAPPERS_SIMULATED_VISITOR_INVALID',
    fields: { device: device.name, pointer },
  })
}

const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  bcd16: [0, 9999],
  bcd32: [0, 99_999_999],
}

/** What the registers can hold of a value: a sensor with registers of 16 bits in steps of 0.1 has no other values. */
function fitted(value: PropertyValue, layout: Layout, visitor: VisitorConfig): PropertyValue {
  const room = layout.length * 2
  if (layout.dataType === 'string' && typeof value === 'string') return cut(value, room)
  if (layout.dataType === 'bytes' && value instanceof Uint8Array) {
    const bytes = new Uint8Array(room)
    bytes.set(value.subarray(0, room))
    return bytes
  }
  if (typeof value !== 'number' || layout.dataType === 'float32' || layout.dataType === 'float64') return value
  const bits = layout.dataType === 'bits' ? ([0, 2 ** (visitor.bits?.count ?? 16) - 1] as const) : undefined
  const [low, high] = bits ?? LIMITS[layout.dataType] ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  return Math.min(Math.max(Math.round(value / visitor.scale), low), high) * visitor.scale
}

/** As much of the text as fits, without half a character at its end. */
function cut(text: string, room: number): string {
  let short = text
  while (Buffer.byteLength(short) > room) short = short.slice(0, -1)
  return short
}
