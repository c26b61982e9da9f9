import type { VisitorConfig } from './visitor-config.ts'

type Order = Pick<VisitorConfig, 'isSwap' | 'isRegisterSwap'>

/** Registers to bytes, most significant first, whatever the device's order is. */
export function toBytes(words: readonly number[], order: Order): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(words.length * 2)
  const { length } = words
  for (let index = 0; index < length; index++) {
    const word = words[order.isRegisterSwap ? length - 1 - index : index] ?? 0
    bytes[index * 2] = order.isSwap ? word & 0xff : word >> 8
    bytes[index * 2 + 1] = order.isSwap ? word >> 8 : word & 0xff
  }
  return bytes
}

/** The other way round. */
export function toWords(bytes: Uint8Array, order: Order): readonly number[] {
  const words: number[] = []
  for (let index = 0; index < bytes.length; index += 2) {
    const first = bytes[index] ?? 0
    const second = bytes[index + 1] ?? 0
    words.push(order.isSwap ? (second << 8) | first : (first << 8) | second)
  }
  return order.isRegisterSwap ? words.reverse() : words
}

/** One register with its bytes exchanged. */
export function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8)
}
