import {
  type ClientMonitoredItemBase,
  ClientMonitoredItemGroup,
  type ClientSubscription,
  type DataValue,
  type MonitoringParametersOptions,
  TimestampsToReturn,
} from 'node-opcua-client'
import type { Outcome, Report } from '../../contract/index.ts'
import { type Link, type Located, locate, type OpcuaVisit, readVisits } from '../link.ts'
import { type BatchLimit, inBatches } from '../service/batches.ts'
import { isMissing } from '../service/faults.ts'
import { failed, isBad, statusError, toOutcome } from '../values/reading.ts'

/** The visits of one subscription, and those among them that the server does not (or no longer) monitor. */
export class MonitoredVisits {
  readonly #link: Link
  readonly #subscription: ClientSubscription
  readonly #report: Report
  /** With the item that went dead, where there is one. */
  readonly #missing = new Map<OpcuaVisit, ClientMonitoredItemBase | undefined>()

  constructor(link: Link, subscription: ClientSubscription, report: Report) {
    this.#link = link
    this.#subscription = subscription
    this.#report = report
  }

  /** In requests that the server can take; what it refuses is reported as failed and tried again by `retry`. */
  async add(visits: readonly OpcuaVisit[], signal: AbortSignal): Promise<void> {
    const located = await locate(
      this.#link,
      visits,
      (id, outcome) =>
        this.#refused(
          visits.find((visit) => visit.id === id),
          outcome,
        ),
      signal,
    )
    const groups = Map.groupBy(located, ({ visit }) => JSON.stringify(parametersOf(visit)))
    for (const group of groups.values()) await this.#monitor(group, this.#link.limits.monitor, signal)
  }

  /** What is not monitored is asked for, and monitored if the server knows it by now. */
  async retry(signal: AbortSignal): Promise<void> {
    if (this.#missing.size === 0) return
    const missing = [...this.#missing]
    const dead = missing.flatMap(([, item]) => (item ? [item] : []))
    this.#missing.clear()
    for (const [visit] of missing) this.#link.nodes.forget(visit)
    for (const item of dead)
      await this.#link.lifeline.run(signal, item.terminate()).catch(ignoreUnless(signal, this.#link))
    await this.add(
      missing.map(([visit]) => visit),
      signal,
    )
    const still = [...this.#missing.keys()]
    if (still.length > 0) await readVisits(this.#link, still, this.#report, signal)
  }

  async #monitor(located: readonly Located[], limit: BatchLimit, signal: AbortSignal): Promise<void> {
    const [first] = located
    if (!first) return
    const parameters = parametersOf(first.visit)
    const { lifeline } = this.#link
    const outcomes = await inBatches(located, limit, async (batch) => {
      const targets = batch.map(({ target }) => target)
      const group = ClientMonitoredItemGroup.create(this.#subscription, targets, parameters, TimestampsToReturn.Both)
      // Before the server answers: its first report may come in the same packet.
      group.on('changed', (item, value, index) => {
        const visit = batch[index]?.visit
        if (visit) this.#changed(visit, item, value)
      })
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      group.on('initialized', resolve)
      group.on('terminated', (error) => reject(error ?? new Error('the server has ended the monitoring of values')))
      await lifeline.run(signal, promise)
      return group.monitoredItems
    })
    for (const [at, { visit }] of located.entries()) {
      const outcome = outcomes[at]
      if (outcome?.ok && !isBad(outcome.value.statusCode)) continue
      this.#refused(visit, outcome?.ok ? failed(statusError(outcome.value.statusCode)) : outcome)
    }
  }

  #changed(visit: OpcuaVisit, item: ClientMonitoredItemBase, value: DataValue): void {
    if (isMissing(value.statusCode)) this.#missing.set(visit, item)
    this.#report(visit.id, toOutcome(value, visit.property.type, visit.visitor.indexRange))
  }

  #refused(visit: OpcuaVisit | undefined, outcome: Outcome<unknown> | undefined): void {
    if (!visit) return
    this.#missing.set(visit, undefined)
    if (outcome && !outcome.ok) this.#report(visit.id, outcome)
  }
}

function parametersOf({ device, visitor }: OpcuaVisit): MonitoringParametersOptions {
  return {
    samplingInterval: visitor.samplingInterval ?? device.samplingInterval,
    queueSize: visitor.queueSize ?? device.queueSize,
    discardOldest: true,
  }
}

/** An item that the server has forgotten needs no farewell. */
function ignoreUnless(signal: AbortSignal, { lifeline }: Link): (error: unknown) => void {
  return (error) => {
    if (signal.aborted || lifeline.lost.aborted) throw error
  }
}
