import type { JsonObject } from '../../../schemas/index.ts'
import type { PodFacts } from '../pod/facts.ts'
import { type PodOrigin, parsePod } from '../pod/parse-pod.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'

export const FACTS: PodFacts = {
  nodeName: 'till-7',
  hostIps: ['10.0.0.7'],
  podIps: ['10.88.0.2'],
  allocatable: { milliCpu: 4000, memoryBytes: 8_000_000_000, diskBytes: 100_000_000_000 },
}

/** The pod `shop/till` with a container `app`, and what a test says of it. */
export function podOf(spec: JsonObject = {}, metadata: JsonObject = {}, origin: PodOrigin = {}): Pod {
  const parsed = parsePod(
    {
      metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata },
      spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
    },
    origin,
  )
  if ('pod' in parsed) return parsed.pod
  throw new Error(parsed.refusal)
}

/** A pod with one container of these fields, and that container. */
export function containerOf(fields: JsonObject = {}, spec: JsonObject = {}): { pod: Pod; container: Container } {
  const pod = podOf({ containers: [{ name: 'app', image: 'till:1', ...fields }], ...spec })
  const [container] = pod.spec.containers
  if (!container) throw new Error('a pod has a container')
  return { pod, container }
}
