import { GROUPS, type Json, type JsonObject, MODULES, OPERATIONS, type PodReport } from '../../../schemas/index.ts'

/** Fields of PodStatus that are the node's alone: what is absent in a report is gone. Conditions are merged by their type. */
const NODE_FIELDS = [
  'message',
  'reason',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
] as const
/** Lists that a strategic merge would only add to. */
const REPLACED = ['hostIPs', 'podIPs'] as const

export function podPatchRoute(pod: string) {
  return {
    source: MODULES.edged,
    group: GROUPS.meta,
    operation: OPERATIONS.patch,
    resource: resourceOf(pod, 'podpatch'),
  }
}

/** A strategic merge patch, as a kubelet sends it: text, with the uid as its precondition. */
export function podPatch({ uid, status }: PodReport): string {
  const patch: Record<string, Json> = { ...status }
  for (const field of NODE_FIELDS) patch[field] ??= null
  for (const field of REPLACED) {
    const list = patch[field]
    if (Array.isArray(list)) patch[field] = [...list, { $patch: 'replace' }]
  }
  return JSON.stringify({ metadata: { uid }, status: patch })
}

export function podDeletionRoute(pod: string) {
  return { source: MODULES.edged, group: GROUPS.meta, operation: OPERATIONS.delete, resource: resourceOf(pod, 'pod') }
}

/** DeleteOptions: exactly this pod, and at once, because nothing of it is left. */
export function podDeletion({ uid }: PodReport): JsonObject {
  return { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid } }
}

/** `<namespace>/<name>` */
export function resourceOf(pod: string, type: string): string {
  const slash = pod.indexOf('/')
  return `${pod.slice(0, slash)}/${type}/${pod.slice(slash + 1)}`
}
