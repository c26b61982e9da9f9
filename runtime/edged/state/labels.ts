import type { Labels, PodIdentity } from '../pod/pod.ts'

/** Labels of sandboxes and containers, those that a kubelet gives them: crictl and log collectors know them. */
export const LABELS = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  /** Whose it is: one runtime may serve several who run pods, and each leaves the others' alone. */
  owner: 'skerry.io/owner',
} as const

export const ANNOTATIONS = {
  restartCount: 'io.kubernetes.container.restartCount',
  /** Of what the container was made from; another one means that it has to be made anew. */
  hash: 'io.kubernetes.container.hash',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
} as const

export function podLabels(pod: PodIdentity, owner: string): Labels {
  return {
    [LABELS.podName]: pod.name,
    [LABELS.podNamespace]: pod.namespace,
    [LABELS.podUid]: pod.uid,
    [LABELS.owner]: owner,
  }
}
