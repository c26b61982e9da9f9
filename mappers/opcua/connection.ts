import type { WriteValueOptions } from 'node-opcua-client'
import type { Call, Outcome, PropertyValue, Reading, Report, VisitId } from '../contract/index.ts'
import type { DeviceConfig, VisitorConfig } from './config.ts'
import { readHistory } from './history.ts'
import { type Link, locate, type OpcuaOrder, type OpcuaVisit, readVisits } from './link.ts'
import { callMethod } from './method.ts'
import { inBatches } from './service/batches.ts'
import { isOneElement } from './values/index-range.ts'
import { failed, isBad, statusError } from './values/reading.ts'
import { toVariant } from './values/to-variant.ts'
import { watchVisits } from './watch/watch.ts'

/** One session on one server. */
export class OpcuaConnection implements AsyncDisposable {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  async read(visits: readonly OpcuaVisit[], signal: AbortSignal): Promise<Map<VisitId, Outcome<Reading>>> {
    signal.throwIfAborted()
    const results = new Map<VisitId, Outcome<Reading>>()
    await readVisits(this.#link, visits, (id, outcome) => results.set(id, outcome), signal)
    return results
  }

  async write(orders: readonly OpcuaOrder[], signal: AbortSignal): Promise<Map<VisitId, Outcome<void>>> {
    signal.throwIfAborted()
    const { session, lifeline, nodes, limits } = this.#link
    const results = new Map<VisitId, Outcome<void>>()
    const located = await locate(this.#link, orders, (id, outcome) => results.set(id, outcome), signal)
    const ready: { readonly order: OpcuaOrder; readonly write: WriteValueOptions }[] = []
    for (const { visit: order, target } of located) {
      try {
        signal.throwIfAborted()
        if (order.visitor.attribute !== 'Value')
          throw new Error(`the attribute ${order.visitor.attribute} cannot be written`)
        const type = await nodes.typeOf(target.nodeId, signal)
        const { indexRange } = order.visitor
        if (indexRange !== undefined) await nodes.checkRange(target, indexRange, signal)
        const variant = toVariant(
          isOneElement(indexRange) && type.isArray ? `[${jsonOf(order.value)}]` : order.value,
          type,
        )
        ready.push({ order, write: { ...target, value: { value: variant } } })
      } catch (error) {
        if (signal.aborted || lifeline.lost.aborted) throw error
        results.set(order.id, failed(error instanceof Error ? error : new Error(String(error))))
      }
    }
    const outcomes = await inBatches(ready, limits.write, (batch) =>
      lifeline.run(signal, session.write(batch.map(({ write }) => write))),
    )
    for (const [at, { order }] of ready.entries()) {
      const outcome = outcomes[at]
      if (!outcome) continue
      if (outcome.ok && isBad(outcome.value)) {
        nodes.forget(order)
        results.set(order.id, failed(statusError(outcome.value)))
      } else results.set(order.id, outcome.ok ? { ok: true, value: undefined } : outcome)
    }
    return results
  }

  async watch(visits: readonly OpcuaVisit[], report: Report, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await watchVisits(this.#link, visits, report, signal)
  }

  async call(call: Call<DeviceConfig, VisitorConfig>, signal: AbortSignal): Promise<Outcome<readonly PropertyValue[]>> {
    signal.throwIfAborted()
    return callMethod(this.#link, call, signal)
  }

  history(visits: readonly OpcuaVisit[], since: number, report: Report, signal: AbortSignal): Promise<void> {
    return readHistory(this.#link, visits, since, report, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.lifeline.close()
  }
}

function jsonOf(value: PropertyValue): string {
  if (typeof value === 'bigint') return JSON.stringify(value.toString())
  return JSON.stringify(value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value)
}
