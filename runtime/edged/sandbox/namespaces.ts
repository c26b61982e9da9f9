import type { NamespaceOption } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'

/** Which namespaces a pod, and each container of it, has of its own. */
export function namespacesOf({ spec }: Pod): NamespaceOption {
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    pid: spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: spec.hostIPC ? 'NODE' : 'POD',
  }
}

/** Groups of its processes beside those of their users. */
export function supplementalGroups({ spec: { securityContext } }: Pod): readonly number[] {
  const { fsGroup, supplementalGroups: others } = securityContext
  return fsGroup === undefined ? others : [fsGroup, ...others]
}
