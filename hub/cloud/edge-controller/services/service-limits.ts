import { type Duration, seconds } from '../../../../platform/time/index.ts'

/** What services of namespaces may cost nodes and the road to them. */
export interface ServiceLimits {
  /** Between two rounds of one namespace: an object is told to a node at most so often. */
  readonly every: Duration
  /** With the change that reaches it a round ends; the others wait for the next one. */
  readonly roundBytes: number
  /** A larger object is told to no node. */
  readonly objectBytes: number
  /** Objects of one node, of all its namespaces. */
  readonly objects: number
  /** Their bytes. */
  readonly bytes: number
}

/** The same, as an operator says it. */
export interface ServiceSettings {
  readonly intervalSeconds: number
  readonly intervalBytes: number
  readonly maxObjectBytes: number
  readonly maxObjects: number
  readonly maxBytes: number
}

export function serviceLimits(settings: ServiceSettings): ServiceLimits {
  const { intervalSeconds, intervalBytes, maxObjectBytes, maxObjects, maxBytes } = settings
  const all = { roundBytes: intervalBytes, objectBytes: maxObjectBytes, objects: maxObjects, bytes: maxBytes }
  return { every: seconds(intervalSeconds), ...all }
}

export const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  every: seconds(10),
  roundBytes: 64 * 1024,
  objectBytes: 64 * 1024,
  objects: 2000,
  bytes: 2 * 1024 * 1024,
}
