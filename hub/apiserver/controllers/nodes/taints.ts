import type { Json, JsonObject } from '../../../../schemas/index.ts'
import {
  arrayAt,
  conditionStatus,
  isJsonObject,
  objectAt,
  textAt,
  timestamp,
  withContent,
  withFields,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

export const NOT_READY = 'node.kubernetes.io/not-ready'
export const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Which status of which condition keeps new pods away, and by which taint (Kubernetes, "Taint nodes by condition"). */
const BY_CONDITION: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
]
const OURS: ReadonlySet<string> = new Set([...BY_CONDITION.map(([, , key]) => key), UNSCHEDULABLE])

/** Whether a node that is not Ready may be told to let its pods go: `add` says so now, `keep` leaves what is, `none` takes it back. */
export type Evicting = 'add' | 'keep' | 'none'

/** The node with the taints that its conditions and its `spec.unschedulable` ask for. Taints of other keys are left alone. */
export function taintedNode(node: ApiObject, evicting: Evicting, now: number): ApiObject {
  const spec = objectAt(node, 'spec')
  const before = arrayAt(spec, 'taints')
  const wanted = [...noSchedule(node), ...noExecute(node, before, evicting)]
  const others = before.filter((each) => !isOurs(each))
  const ours = wanted.map(([key, effect]) => find(before, key, effect) ?? newTaint(key, effect, now))
  const taints = [...others, ...ours]
  if (sameTaints(before, taints)) return node
  return withContent(node, { spec: withFields(spec, { taints: taints.length === 0 ? undefined : taints }) })
}

/** Taints that drive pods away. */
export function evictingTaints(node: ApiObject): readonly JsonObject[] {
  return arrayAt(objectAt(node, 'spec'), 'taints')
    .filter(isJsonObject)
    .filter((taint) => textAt(taint, 'effect') === 'NoExecute')
}

type Wanted = readonly [key: string, effect: 'NoSchedule' | 'NoExecute']

function noSchedule(node: ApiObject): readonly Wanted[] {
  const keys = BY_CONDITION.filter(([type, status]) => conditionStatus(node, type) === status).map(([, , key]) => key)
  if (objectAt(node, 'spec')['unschedulable'] === true) keys.push(UNSCHEDULABLE)
  return keys.map((key) => [key, 'NoSchedule'])
}

function noExecute(node: ApiObject, before: readonly Json[], evicting: Evicting): readonly Wanted[] {
  const key = evictionKey(node)
  if (key === undefined || evicting === 'none') return []
  const isEvicted = [NOT_READY, UNREACHABLE].some((each) => find(before, each, 'NoExecute') !== undefined)
  return isEvicted || evicting === 'add' ? [[key, 'NoExecute']] : []
}

/** Nothing while the node is Ready, and while it never said anything. */
export function evictionKey(node: ApiObject): string | undefined {
  const ready = conditionStatus(node, 'Ready')
  if (ready === 'False') return NOT_READY
  return ready === 'Unknown' ? UNREACHABLE : undefined
}

function newTaint(key: string, effect: string, now: number): JsonObject {
  return { key, effect, timeAdded: timestamp(now) }
}

function find(taints: readonly Json[], key: string, effect: string): Json | undefined {
  return taints.find((each) => isJsonObject(each) && textAt(each, 'key') === key && textAt(each, 'effect') === effect)
}

function isOurs(taint: Json): boolean {
  if (!isJsonObject(taint)) return false
  const key = textAt(taint, 'key')
  const effect = textAt(taint, 'effect')
  if (effect === 'NoSchedule') return OURS.has(key)
  return effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)
}

/** The same taints, in whatever order. */
function sameTaints(one: readonly Json[], other: readonly Json[]): boolean {
  return one.length === other.length && one.every((each) => other.includes(each))
}
