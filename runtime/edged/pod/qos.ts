import { parseQuantity } from '../../../schemas/index.ts'
import type { Amount } from './schema/parts.ts'
import type { PodSpec } from './schema/pod-spec.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const COUNTED = ['cpu', 'memory']

/** How sure a pod may be of its processors and memory (Kubernetes, PodQOSClass): of all containers together, also init containers. */
export function qosClass({ containers, initContainers }: PodSpec): QosClass {
  const all = [...containers, ...initContainers].map(({ resources }) => resources)
  const requests = COUNTED.map((name) => sum(all.map((one) => one.requests[name])))
  const limits = COUNTED.map((name) => sum(all.map((one) => one.limits[name])))
  if ([...requests, ...limits].every((amount) => amount === 0n)) return 'BestEffort'
  const isLimited = all.every((one) => COUNTED.every((name) => positive(one.limits[name]) > 0n))
  return isLimited && requests.every((amount, index) => amount === limits[index]) ? 'Guaranteed' : 'Burstable'
}

function sum(amounts: readonly (Amount | undefined)[]): bigint {
  return amounts.reduce((total, amount) => total + positive(amount), 0n)
}

function positive(amount: Amount | undefined): bigint {
  const exact = parseQuantity(amount) ?? 0n
  return exact > 0n ? exact : 0n
}
