import type { BitChange } from './codec.ts'
import type { DeviceConfig } from './device-config.ts'
import { blamesFunction } from './exception.ts'
import type { Write } from './plan-writes.ts'
import type { Wire } from './wire.ts'

/** Asks the device, once or more. */
type Ask = <T>(work: () => Promise<T>) => Promise<T>

/** Carries writes out with the functions that a device has, and remembers which it lacks. */
export class Writer {
  readonly #wire: Wire
  /** Units and functions that were answered with "illegal function". */
  readonly #lacking = new Set<string>()

  constructor(wire: Wire) {
    this.#wire = wire
  }

  async write(write: Write, ask: Ask, signal: AbortSignal): Promise<void> {
    const { device, start } = write
    switch (write.kind) {
      case 'coils':
        return this.#writeCoils(device, start, write.values, ask, signal)
      case 'registers':
        return this.#writeRegisters(device, start, write.words, ask, signal)
      case 'bits':
        return this.#writeBits(device, start, write.change, ask, signal)
    }
  }

  async #writeCoils(device: DeviceConfig, start: number, values: readonly boolean[], ask: Ask, signal: AbortSignal) {
    const one = async () => {
      for (const [index, on] of values.entries()) {
        await ask(() => this.#wire.writeCoil(device, start + index, on, signal))
      }
    }
    const many = () => ask(() => this.#wire.writeCoils(device, start, values, signal))
    const isMultiple = device.writeFunction === 'multiple' || device.writeFunction === 'readWrite'
    await this.#either(device, isMultiple, values.length, { one, many, functions: [5, 15] })
  }

  async #writeRegisters(device: DeviceConfig, start: number, words: readonly number[], ask: Ask, signal: AbortSignal) {
    if (device.writeFunction === 'readWrite') {
      // Modbus application protocol V1.1b3, 6.17: 121 registers at most.
      return inChunks(words, Math.min(121, device.maxWriteRegisters), (at, chunk) =>
        ask(() => this.#wire.readWrite(device, start + at, chunk, signal)),
      )
    }
    const one = async () => {
      for (const [index, word] of words.entries()) {
        await ask(() => this.#wire.writeRegister(device, start + index, word, signal))
      }
    }
    const many = () =>
      inChunks(words, device.maxWriteRegisters, (at, chunk) =>
        ask(() => this.#wire.writeRegisters(device, start + at, chunk, signal)),
      )
    await this.#either(device, device.writeFunction === 'multiple', words.length, { one, many, functions: [6, 16] })
  }

  /** Where a device does not say which functions it has, one value goes by the single function unless it lacks that. */
  async #either(
    { unitId, writeFunction }: DeviceConfig,
    isMultiple: boolean,
    length: number,
    { one, many, functions: [single, multiple] }: Ways,
  ): Promise<void> {
    if (writeFunction === 'single') return one()
    if (isMultiple) return many()
    const prefersOne = length === 1
    const [preferred, other] = prefersOne ? [single, multiple] : [multiple, single]
    const lacks = this.#lacking.has(`${unitId}/${preferred}`) && !this.#lacking.has(`${unitId}/${other}`)
    if (lacks && prefersOne) return many()
    try {
      await (prefersOne ? one() : many())
    } catch (error) {
      if (!blamesFunction(error) || this.#lacking.has(`${unitId}/${preferred}`)) throw error
      this.#lacking.add(`${unitId}/${preferred}`)
      // Several registers one by one would show others half of the value: only a device that says so is written like that.
      if (!prefersOne) throw error
      await many()
    }
  }

  /** Bits beside those of the mask stay as they are. */
  async #writeBits(device: DeviceConfig, address: number, { mask, bits }: BitChange, ask: Ask, signal: AbortSignal) {
    if (device.maskWrite) return ask(() => this.#wire.maskWrite(device, address, mask, bits, signal))
    const [before = 0] = await ask(() => this.#wire.read(device, 'HoldingRegister', address, 1, signal))
    const after = (before & ~mask & 0xffff) | (bits & mask)
    if (after !== before) await this.#writeRegisters(device, address, [after], ask, signal)
  }
}

interface Ways {
  readonly one: () => Promise<void>
  readonly many: () => Promise<void>
  readonly functions: readonly [number, number]
}

async function inChunks(
  words: readonly number[],
  most: number,
  write: (at: number, chunk: readonly number[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < words.length; at += most) await write(at, words.slice(at, at + most))
}
