import { TEST_IMAGE } from '../../runtime/edged/testing/containerd.ts'
import type { JsonObject } from '../../schemas/index.ts'

export const NAMESPACE = 'default'
/** Waits without work, and ends when it is asked to. */
const WAITS = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
export const COMMAND = ['sh', '-c', WAITS] as const
export const GRACE_SECONDS = 10

/** A small pod with one container and no volumes. */
export function podManifest(name: string, more: { readonly nodeName?: string } = {}): JsonObject {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name, namespace: NAMESPACE, labels: { app: 'bench' } },
    spec: {
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      containers: [{ name: 'app', image: TEST_IMAGE, command: [...COMMAND] }],
      ...more,
    },
  }
}

/** As the cloud hands it to a node. */
export function assignedPod(name: string, metadata: JsonObject = {}): JsonObject {
  const pod = podManifest(name)
  return {
    ...pod,
    metadata: { name, namespace: NAMESPACE, uid: `uid-of-${name}`, labels: { app: 'bench' }, ...metadata },
  }
}
