import type { ClientSession, NodeId, ReadValueIdOptions } from 'node-opcua-client'
import type { MapperContext, Order, Report, Visit, VisitId } from '../contract/index.ts'
import type { DeviceConfig, VisitorConfig } from './config.ts'
import { inBatches } from './service/batches.ts'
import type { Limits } from './service/limits.ts'
import type { Nodes } from './service/nodes.ts'
import type { Lifeline } from './session/lifeline.ts'
import { failed, isBad, toOutcome } from './values/reading.ts'

export type OpcuaVisit = Visit<DeviceConfig, VisitorConfig>
export type OpcuaOrder = Order<DeviceConfig, VisitorConfig>

/** What all services of a session need. */
export interface Link {
  readonly session: ClientSession
  readonly lifeline: Lifeline
  readonly nodes: Nodes
  readonly limits: Limits
  readonly clock: MapperContext['clock']
  readonly log: MapperContext['log']
  /** As the server calls itself. */
  readonly serverName: string
}

export interface Located<V extends OpcuaVisit = OpcuaVisit> {
  readonly visit: V
  readonly target: ReadValueIdOptions & { readonly nodeId: NodeId }
}

/** Where the visits are; those that are nowhere are reported as failed. */
export async function locate<V extends OpcuaVisit>(
  { nodes }: Link,
  visits: readonly V[],
  fail: (id: VisitId, outcome: { readonly ok: false; readonly error: Error }) => void,
  signal: AbortSignal,
): Promise<readonly Located<V>[]> {
  const outcomes = await nodes.resolve(visits, signal)
  return visits.flatMap((visit, at) => {
    const outcome = outcomes[at]
    if (outcome?.ok) return [{ visit, target: outcome.value }]
    fail(visit.id, outcome ?? failed(new Error('the server gave no answer')))
    return []
  })
}

/** Asks for the values as they are now. */
export async function readVisits(
  link: Link,
  visits: readonly OpcuaVisit[],
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { session, lifeline, limits, nodes } = link
  const located = await locate(link, visits, report, signal)
  const outcomes = await inBatches(located, limits.read, (batch) =>
    lifeline.run(signal, session.read(batch.map(({ target }) => target))),
  )
  for (const [at, { visit }] of located.entries()) {
    const outcome = outcomes[at]
    if (!outcome) continue
    if (outcome.ok && isBad(outcome.value.statusCode)) nodes.forget(visit)
    report(visit.id, outcome.ok ? toOutcome(outcome.value, visit.property.type, visit.visitor.indexRange) : outcome)
  }
}
