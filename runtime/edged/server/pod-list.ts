import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn } from '../pod/json.ts'
import type { ServedPods } from './served-pods.ts'

/** `/pods` of a kubelet: what this node has to run, with how it is. */
export function podList(pods: ServedPods | undefined): JsonObject {
  const items = (pods?.list() ?? []).map(({ uid, name, namespace, source, status }) => ({
    ...source,
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { ...objectIn(source, 'metadata'), name, namespace, uid },
    status: { ...objectIn(source, 'status'), ...status },
  }))
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items }
}
