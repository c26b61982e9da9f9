import type { Order, Outcome, Reading, VisitId } from '../contract/index.ts'
import { decode, encode, layoutOf } from './codec.ts'
import type { DeviceConfig, VisitorConfig } from './config.ts'
import { blamesRegisters, ModbusException } from './exception.ts'
import { type Block, type ModbusVisit, placeOf, planBlocks } from './plan.ts'
import type { Wire } from './wire.ts'

/** A wire, and what has been learned about the device behind it since it was connected. */
export class ModbusConnection implements AsyncDisposable {
  readonly #wire: Wire
  /** Places that the device refused to read together with their neighbours. */
  readonly #alone = new Set<string>()

  constructor(wire: Wire) {
    this.#wire = wire
  }

  async read(visits: readonly ModbusVisit[], signal: AbortSignal): Promise<Map<VisitId, Outcome<Reading>>> {
    const results = new Map<VisitId, Outcome<Reading>>()
    for (const block of planBlocks(visits, this.#alone)) await this.#readBlock(block, results, signal)
    return results
  }

  async write(orders: readonly Order<DeviceConfig, VisitorConfig>[], signal: AbortSignal) {
    const results = new Map<VisitId, Outcome<void>>()
    for (const order of orders) {
      results.set(order.id, await outcomeOf(() => this.#writeOne(order, signal)))
    }
    return results
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#wire[Symbol.asyncDispose]()
  }

  async #readBlock(block: Block, results: Map<VisitId, Outcome<Reading>>, signal: AbortSignal): Promise<void> {
    const { unitId, table, start, length } = block
    try {
      const words = await this.#wire.read(unitId, table, start, length, signal)
      for (const { visit, layout } of block.visits) {
        const first = visit.visitor.offset - start
        const own = words.slice(first, first + layout.length)
        results.set(visit.id, { ok: true, value: { value: decode(own, layout, visit.visitor) } })
      }
    } catch (error) {
      if (!(error instanceof ModbusException)) throw error
      if (block.visits.length > 1 && blamesRegisters(error)) await this.#readSingly(block, results, signal)
      else for (const { visit } of block.visits) results.set(visit.id, { ok: false, error })
    }
  }

  /** One bad register must not cost its neighbours their values; the bad ones are kept apart from now on. */
  async #readSingly(block: Block, results: Map<VisitId, Outcome<Reading>>, signal: AbortSignal): Promise<void> {
    const places = block.visits.map(({ visit }) => placeOf(visit))
    for (const single of planBlocks(
      block.visits.map(({ visit }) => visit),
      new Set(places),
    )) {
      await this.#readBlock(single, results, signal)
    }
    const refused = block.visits.filter(({ visit }) => results.get(visit.id)?.ok === false)
    // None refused by itself: the device cannot answer so long a request.
    for (const { visit } of refused.length > 0 ? refused : block.visits) this.#alone.add(placeOf(visit))
  }

  async #writeOne(order: Order<DeviceConfig, VisitorConfig>, signal: AbortSignal): Promise<void> {
    const { device, property, visitor, value } = order
    const found = layoutOf(property, visitor)
    if (!found.ok) throw new Refusal(found.reason)
    if (visitor.register === 'InputRegister' || visitor.register === 'DiscreteInputRegister') {
      throw new Refusal(`${visitor.register} cannot be written`)
    }
    const words = encoded(() => encode(value, found.layout, visitor))
    if (visitor.register === 'HoldingRegister') {
      await this.#wire.writeRegisters(device.unitId, visitor.offset, words, signal)
    } else {
      await this.#wire.writeCoil(
        device.unitId,
        visitor.offset,
        words.some((word) => word !== 0),
        signal,
      )
    }
  }
}

/** The order can never be written; says nothing about the link. */
class Refusal extends Error {
  override readonly name = 'Refusal'
}

function encoded(work: () => readonly number[]): readonly number[] {
  try {
    return work()
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error))
  }
}

async function outcomeOf(work: () => Promise<void>): Promise<Outcome<void>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof ModbusException || error instanceof Refusal) return { ok: false, error }
    throw error
  }
}
