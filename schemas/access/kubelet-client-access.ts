import { type AccessObject, rolePair } from './cloud-access.ts'

/** The name under which the embedded API calls kubelets, as kubeadm gives it. */
export const KUBELET_CLIENT = 'kube-apiserver-kubelet-client'

/**
 * What the embedded API may do at kubelets on behalf of those it serves, and nothing else: an administrator's certificate, led back to
 * the API by a Node with the address of that, would let whoever has `nodes/proxy` do everything.
 */
export function kubeletClientAccess(): readonly AccessObject[] {
  const resources = ['nodes/proxy', 'nodes/stats', 'nodes/metrics', 'nodes/pods', 'nodes/healthz']
  return rolePair({ kind: 'User', name: KUBELET_CLIENT }, { name: 'skerry:kubelet-client' }, [
    { apiGroups: [''], resources, verbs: ['get', 'create'] },
  ])
}
