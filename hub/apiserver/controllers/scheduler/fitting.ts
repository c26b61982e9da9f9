import { type JsonObject, quantityOf } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { tolerates } from '../nodes/tolerations.ts'
import type { Host } from './cluster.ts'
import { isWanted } from './node-terms.ts'
import { isSamePort, type PodNeeds } from './pod-needs.ts'

/** Why a pod cannot go to a node. */
export interface Misfit {
  /** In the words that people know from Kubernetes, for a count before it. */
  readonly reason: string
  /** It would fit if other pods went. */
  readonly isFull: boolean
}

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' }
const RESOURCES_FIRST: readonly string[] = ['cpu', 'memory', 'ephemeral-storage']

/** Nothing where the pod fits. As in Kubernetes, the first rule that refuses a node is the one that is named. */
export function misfitsOf(pod: ApiObject, needs: PodNeeds, host: Host): readonly Misfit[] {
  const { node } = host
  const tolerations = tolerationsOf(pod)
  const isTolerated = (taint: JsonObject) => tolerations.some((each) => tolerates(each, taint))
  const spec = objectAt(node, 'spec')
  if (spec['unschedulable'] === true && !isTolerated(UNSCHEDULABLE)) return [never('node(s) were unschedulable')]
  if (!taintsOf(node, ['NoSchedule', 'NoExecute']).every(isTolerated)) {
    return [never('node(s) had untolerated taint(s)')]
  }
  if (!isWanted(pod, node)) return [never("node(s) didn't match Pod's node affinity/selector")]
  if (hasTakenPort(needs, host)) return [full("node(s) didn't have free ports for the requested pod ports")]
  return shortages(needs, host)
}

/** Taints of a node by which a pod is better not placed there, and that it does not tolerate. */
export function dislikes(pod: ApiObject, node: ApiObject): number {
  const tolerations = tolerationsOf(pod)
  return taintsOf(node, ['PreferNoSchedule']).filter((taint) => !tolerations.some((each) => tolerates(each, taint)))
    .length
}

/** Whether a taint that drives pods away, or keeps them off, is one that the pod does not tolerate. */
export function untolerated(pod: ApiObject, node: ApiObject, effects: readonly string[]): boolean {
  const tolerations = tolerationsOf(pod)
  return taintsOf(node, effects).some((taint) => !tolerations.some((each) => tolerates(each, taint)))
}

function hasTakenPort(needs: PodNeeds, { guests }: Host): boolean {
  if (needs.ports.length === 0) return false
  const taken = [...guests.values()].flatMap((guest) => guest.needs.ports)
  return needs.ports.some((port) => taken.some((other) => isSamePort(port, other)))
}

/** A node that does not say what it has takes everything. */
function shortages(needs: PodNeeds, { room, used, guests }: Host): readonly Misfit[] {
  if (!room) return []
  const found: Misfit[] = []
  const places = room.get('pods')
  if (places !== undefined && quantityOf(guests.size + 1) > places) found.push(full('Too many pods'))
  const names = [...needs.requests.keys()].sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
  for (const name of names) {
    const asked = needs.requests.get(name) ?? 0n
    const offered = room.get(name) ?? 0n
    if (asked <= 0n || asked <= offered - (used.get(name) ?? 0n)) continue
    found.push({ reason: `Insufficient ${name}`, isFull: asked <= offered })
  }
  return found
}

function rank(name: string): number {
  const position = RESOURCES_FIRST.indexOf(name)
  return position < 0 ? RESOURCES_FIRST.length : position
}

function tolerationsOf(pod: ApiObject): readonly JsonObject[] {
  return arrayAt(objectAt(pod, 'spec'), 'tolerations').filter(isJsonObject)
}

function taintsOf(node: ApiObject, effects: readonly string[]): readonly JsonObject[] {
  return arrayAt(objectAt(node, 'spec'), 'taints')
    .filter(isJsonObject)
    .filter((taint) => effects.includes(textAt(taint, 'effect')))
}

function never(reason: string): Misfit {
  return { reason, isFull: false }
}

function full(reason: string): Misfit {
  return { reason, isFull: true }
}
