import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import { CONFIG } from './parse-manifest.ts'

/** The Node that owns the mirrors of its static pods. */
export interface NodeOwner {
  readonly name: string
  readonly uid: string
}

/** What the API gets of a static pod, so that people see it there (Kubernetes, mirror pods): the pod, its hash and its Node. */
export function mirrorPod({ source }: Pod, { name, uid }: NodeOwner): JsonObject {
  const { uid: _own, ...metadata } = objectIn(source, 'metadata')
  const annotations = objectIn(metadata, 'annotations')
  const owner = { apiVersion: 'v1', kind: 'Node', name, uid, controller: true }
  return {
    ...source,
    metadata: {
      ...metadata,
      annotations: { ...annotations, [CONFIG.mirror]: annotations[CONFIG.hash] ?? '' },
      ownerReferences: [owner],
    },
  }
}

/** Of a pod that the cloud has: it is the mirror of a static pod, and not to be run. */
export function isMirrorPod(pod: JsonObject): boolean {
  return mirroredHash(pod) !== undefined
}

/** Which static pod it mirrors: its uid. */
export function mirroredHash(pod: JsonObject): string | undefined {
  return textIn(objectIn(objectIn(pod, 'metadata'), 'annotations'), CONFIG.mirror)
}
