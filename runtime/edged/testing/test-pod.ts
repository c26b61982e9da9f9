import type { JsonObject } from '../../../schemas/index.ts'
import { parsePod } from '../pod/parse-pod.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'

/** A pod `shop/till` with a container `app` and what is given; read as this node reads it. */
export function testPod(container: JsonObject = {}, spec: JsonObject = {}, metadata: JsonObject = {}): Pod {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1', resourceVersion: '41', ...metadata },
    spec: { containers: [{ name: 'app', image: 'app:1', ...container }], ...spec },
  })
  if (!('pod' in parsed)) throw new Error(parsed.refusal)
  return parsed.pod
}

export function firstContainer({ spec }: Pod): Container {
  const [container] = spec.containers
  if (!container) throw new Error('the pod has no container')
  return container
}
