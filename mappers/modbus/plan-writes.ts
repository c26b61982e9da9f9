import { type BitChange, encode, encodeBits } from './codec.ts'
import type { DeviceConfig } from './device-config.ts'
import { layoutOf, writeRejection } from './layout.ts'
import type { ModbusOrder } from './visit.ts'

/** One write: of coils, of registers, or of bits in one register. */
export type Write = {
  readonly device: DeviceConfig
  readonly start: number
  readonly orders: readonly ModbusOrder[]
} & (
  | { readonly kind: 'coils'; readonly values: readonly boolean[] }
  | { readonly kind: 'registers'; readonly words: readonly number[] }
  | { readonly kind: 'bits'; readonly change: BitChange }
)

export interface WritePlan {
  readonly writes: readonly Write[]
  /** Orders that can never be written, and why. */
  readonly refusals: readonly { readonly order: ModbusOrder; readonly error: Error }[]
}

/**
 * The writes that carry the orders out, in their order: a value is never written before one that was ordered earlier. Orders
 * that follow each other become one write where their places do too, upwards: a device takes the registers of one request from
 * the lowest to the highest, and a command that was ordered after its argument must not overtake it.
 */
export function planWrites(orders: readonly ModbusOrder[]): WritePlan {
  const writes: Write[] = []
  const refusals: { order: ModbusOrder; error: Error }[] = []
  for (const order of orders) {
    try {
      const write = writeOf(order)
      const last = writes.at(-1)
      const merged = last && merge(last, write)
      if (merged) writes[writes.length - 1] = merged
      else writes.push(write)
    } catch (error) {
      refusals.push({ order, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return { writes, refusals }
}

/** The same orders, each as a write of its own. */
export function apart(write: Write): readonly Write[] {
  return write.orders.map(writeOf)
}

function writeOf(order: ModbusOrder): Write {
  const { device, property, visitor, value } = order
  const found = layoutOf(property, visitor)
  const reason = writeRejection(visitor) ?? (found.ok ? undefined : found.reason)
  if (reason !== undefined || !found.ok) throw new Error(reason)
  const common = { device, start: visitor.offset, orders: [order] }
  if (found.layout.dataType === 'bits') return { ...common, kind: 'bits', change: encodeBits(value, visitor) }
  const words = encode(value, found.layout, visitor)
  if (visitor.register === 'HoldingRegister') return { ...common, kind: 'registers', words }
  return { ...common, kind: 'coils', values: words.map((word) => word !== 0) }
}

function merge(first: Write, second: Write): Write | undefined {
  const { device } = first
  if (second.device.unitId !== device.unitId || second.device.writeFunction !== device.writeFunction) return undefined
  if (second.device.maskWrite !== device.maskWrite) return undefined
  const most = Math.min(device.maxWriteRegisters, second.device.maxWriteRegisters)
  const orders = [...first.orders, ...second.orders]
  if (first.kind === 'bits' || second.kind === 'bits') return mergeBits(first, second, orders)
  if (device.writeFunction === 'single') return undefined
  if (first.kind === 'coils' && second.kind === 'coils') {
    const joined = join(first.start, first.values, second.start, second.values, most * 16)
    return joined && { ...first, values: joined, orders }
  }
  if (first.kind === 'registers' && second.kind === 'registers') {
    const joined = join(first.start, first.words, second.start, second.words, most)
    return joined && { ...first, words: joined, orders }
  }
  return undefined
}

/** Bits of the same register are changed together, unless they are the same bits. */
function mergeBits(first: Write, second: Write, orders: readonly ModbusOrder[]): Write | undefined {
  if (first.kind !== 'bits' || second.kind !== 'bits' || first.start !== second.start) return undefined
  const [a, b] = [first.change, second.change]
  if ((a.mask & b.mask) !== 0) return undefined
  return { ...first, change: { mask: a.mask | b.mask, bits: a.bits | b.bits }, orders }
}

function join<T>(a: number, first: readonly T[], b: number, second: readonly T[], most: number) {
  return a + first.length === b && first.length + second.length <= most ? [...first, ...second] : undefined
}
