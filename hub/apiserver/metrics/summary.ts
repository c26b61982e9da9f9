import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'

/** What one node, or one container on it, uses. */
export interface Use {
  /** Unix ms, of the processor time. */
  readonly at: number
  /** Nanoseconds of processor time since the beginning. */
  readonly cpuNanoseconds: number
  /** In a second; absent where the node does not know it yet. */
  readonly nanoCores?: number
  readonly memoryBytes: number
}

/** What a kubelet tells of itself and its pods, as far as it is complete. */
export interface NodeUse {
  readonly node: Use | undefined
  /** By namespace and name, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Use>>
}

/** Reads `/stats/summary`. */
export function readSummary(summary: JsonObject): NodeUse {
  const pods = arrayAt(summary, 'pods').filter(isJsonObject)
  return {
    node: useOf(objectAt(summary, 'node')),
    pods: new Map(pods.map((pod) => [podKey(objectAt(pod, 'podRef')), containersOf(pod)])),
  }
}

function podKey(reference: JsonObject): string {
  return `${textAt(reference, 'namespace')}/${textAt(reference, 'name')}`
}

function containersOf(pod: JsonObject): ReadonlyMap<string, Use> {
  const found = new Map<string, Use>()
  for (const container of arrayAt(pod, 'containers').filter(isJsonObject)) {
    const use = useOf(container)
    if (use) found.set(textAt(container, 'name'), use)
  }
  return found
}

function useOf(measured: JsonObject): Use | undefined {
  const [cpu, memory] = [objectAt(measured, 'cpu'), objectAt(measured, 'memory')]
  const { usageCoreNanoSeconds: cpuNanoseconds, usageNanoCores: nanoCores } = cpu
  const memoryBytes = memory['workingSetBytes']
  const at = Date.parse(textAt(cpu, 'time'))
  if (typeof cpuNanoseconds !== 'number' || typeof memoryBytes !== 'number' || Number.isNaN(at)) return undefined
  return { at, cpuNanoseconds, memoryBytes, ...(typeof nanoCores === 'number' ? { nanoCores } : {}) }
}
