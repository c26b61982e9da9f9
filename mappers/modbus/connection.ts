import { DeviceSilentError, type MapperContext, type Outcome, type Reading, type VisitId } from '../contract/index.ts'
import { decodeAt } from './codec.ts'
import type { DeviceConfig } from './device-config.ts'
import { blamesPath, blamesRegisters, isRefusal, NoAnswer, type Refusal } from './exception.ts'
import type { Layout } from './layout.ts'
import { Learned } from './learned.ts'
import { type Block, requestsOf, splitBlock } from './plan.ts'
import { PlanMemory } from './plan-memory.ts'
import { apart, planWrites, type Write } from './plan-writes.ts'
import { conflict } from './same-line.ts'
import { Silence } from './silence.ts'
import type { ModbusOrder, ModbusVisit } from './visit.ts'
import type { VisitorConfig } from './visitor-config.ts'
import type { Wire } from './wire.ts'
import { Writer } from './writer.ts'

type ReadResults = Map<VisitId, Outcome<Reading>>

/** An answer that was damaged on the way is asked for again so often; silence is not. */
const REPEATS = 2
/** Stands for the gateway where it answers in place of a unit. */
const GATEWAY = -1

/** A wire, and what has been learned about the devices behind it since it was connected. */
export class ModbusConnection implements AsyncDisposable {
  readonly #wire: Wire
  readonly #device: DeviceConfig
  readonly #learned: Learned
  readonly #plans: PlanMemory
  readonly #silence: Silence
  readonly #writer: Writer

  /** Made for `device`; others may follow. */
  constructor(wire: Wire, device: DeviceConfig, clock: Pick<MapperContext['clock'], 'now'>) {
    this.#wire = wire
    this.#device = device
    this.#learned = new Learned(() => clock.now())
    this.#plans = new PlanMemory(this.#learned)
    this.#silence = new Silence(device.mode === 'RTU')
    this.#writer = new Writer(wire)
  }

  async read(visits: readonly ModbusVisit[], signal: AbortSignal): Promise<ReadResults> {
    const results: ReadResults = new Map()
    const { blocks, failures } = this.#plans.planOf(this.#onThisLine(visits, failed(results)))
    for (const { visit, error } of failures) results.set(visit.id, { ok: false, error })
    for (const block of blocks) await this.#readBlock(block, results, signal)
    return results
  }

  async write(orders: readonly ModbusOrder[], signal: AbortSignal): Promise<Map<VisitId, Outcome<void>>> {
    const results = new Map<VisitId, Outcome<void>>()
    const { writes, refusals } = planWrites(this.#onThisLine(orders, failed(results)))
    for (const { order, error } of refusals) results.set(order.id, { ok: false, error })
    for (const write of writes) await this.#write(write, results, signal)
    return results
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#wire[Symbol.asyncDispose]()
  }

  async #readBlock(block: Block, results: ReadResults, signal: AbortSignal): Promise<boolean> {
    try {
      const words = await this.#wordsOf(block, signal)
      for (const { visit, layout, place } of block.visits) {
        results.set(visit.id, valueAt(words, visit.visitor.offset - block.start, layout, visit.visitor))
        if (this.#learned.isOnProbation(place)) this.#learned.good(place)
      }
      return true
    } catch (error) {
      if (!isRefusal(error)) throw error
      return this.#readRefused(block, error, results, signal)
    }
  }

  /** One bad register must not cost its neighbours their values: who is to blame is found by halving. */
  async #readRefused(block: Block, error: Refusal, results: ReadResults, signal: AbortSignal): Promise<boolean> {
    const halves = blamesRegisters(error) ? splitBlock(block) : undefined
    if (!halves) {
      for (const { visit, place } of block.visits) {
        results.set(visit.id, { ok: false, error })
        if (blamesRegisters(error)) this.#learned.refused(place, error)
      }
      return false
    }
    const [first, second] = halves
    const isFirstGood = await this.#readBlock(first, results, signal)
    const isSecondGood = await this.#readBlock(second, results, signal)
    // Both are readable, but not together: what lies between them is not, or the request was too long.
    const between = second.visits[0]
    if (isFirstGood && isSecondGood && between) this.#learned.cut(between.place)
    return isFirstGood && isSecondGood
  }

  async #wordsOf(block: Block, signal: AbortSignal): Promise<readonly number[]> {
    const { device, table } = block
    const requests = requestsOf(block)
    const [only] = requests
    const read = (start: number, length: number) =>
      this.#ask(device, () => this.#wire.read(device, table, start, length, signal))
    if (only && requests.length === 1) return read(only.start, only.length)
    const words: number[] = []
    for (const { start, length } of requests) words.push(...(await read(start, length)))
    return words
  }

  async #write(write: Write, results: Map<VisitId, Outcome<void>>, signal: AbortSignal): Promise<void> {
    try {
      await this.#writer.write(write, (work) => this.#ask(write.device, work), signal)
      for (const order of write.orders) {
        results.set(order.id, { ok: true, value: undefined })
        this.#learned.written(order)
      }
    } catch (error) {
      if (!isRefusal(error)) throw error
      // One order that is refused must not keep its neighbours from being written.
      const single = blamesRegisters(error) && write.orders.length > 1
      if (single) for (const each of apart(write)) await this.#write(each, results, signal)
      else for (const order of write.orders) results.set(order.id, { ok: false, error })
    }
  }

  /** Asks one unit, and decides what it means when nothing comes. */
  async #ask<T>({ unitId }: DeviceConfig, work: () => Promise<T>): Promise<T> {
    for (let repeat = 0; ; repeat++) {
      try {
        const answer = await work()
        this.#silence.heard(unitId)
        return answer
      } catch (error) {
        if (isRefusal(error)) {
          this.#silence.heard(blamesPath(error) ? GATEWAY : unitId)
          if (blamesPath(error)) throw new DeviceSilentError(error.message, { cause: error })
          throw error
        }
        if (!(error instanceof NoAnswer)) throw error
        if (error.garbled && repeat < REPEATS) continue
        if (this.#silence.timedOut(unitId)) throw error
        throw new DeviceSilentError(error.message, { cause: error })
      }
    }
  }

  /** Visits that this connection can serve; the others fail, each by itself. */
  #onThisLine<V extends ModbusVisit>(visits: readonly V[], fail: (id: VisitId, error: Error) => void): readonly V[] {
    return visits.filter(({ id, device }) => {
      const found = device === this.#device ? undefined : conflict(device, this.#device)
      if (found) fail(id, new Error(`${found.key} ${found.message}`))
      return found === undefined
    })
  }
}

function valueAt(words: readonly number[], first: number, layout: Layout, visitor: VisitorConfig): Outcome<Reading> {
  try {
    return { ok: true, value: { value: decodeAt(words, first, layout, visitor) } }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function failed<T>(results: Map<VisitId, Outcome<T>>): (id: VisitId, error: Error) => void {
  return (id, error) => results.set(id, { ok: false, error })
}
