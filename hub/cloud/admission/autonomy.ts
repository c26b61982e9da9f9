import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isRecord, textsOf } from '../kubernetes/guards.ts'

/** KubeEdge's label of pods that stay with their node while nobody reaches it. */
export const AUTONOMY_LABELS = { 'app-offline.kubeedge.io': 'autonomy' } as const

const UNREACHABLE = 'node.kubernetes.io/unreachable'
const NO_EXECUTE = 'NoExecute'

/** An operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

/** Answers one AdmissionReview (admission.k8s.io/v1) of a pod: it is always allowed. Nothing where the body is no review. */
export function answerAutonomy(body: unknown): object | undefined {
  const request = isRecord(body) ? body['request'] : undefined
  if (!isRecord(request) || typeof request['uid'] !== 'string') return undefined
  const patch = autonomyPatch(request['object'])
  const encoded = () => Buffer.from(JSON.stringify(patch)).toString('base64')
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request['uid'],
      allowed: true,
      ...(patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: encoded() }),
    },
  }
}

/**
 * What makes a pod with the label tolerate a node that is not reachable for good. Tolerations only lose their time or are added:
 * a pod that exists allows nothing else. Another without the label, as after its removal, stays as it is.
 */
export function autonomyPatch(pod: unknown): readonly PatchOperation[] {
  if (!isRecord(pod) || !isRecord(pod['spec']) || !isLabelled(pod)) return []
  const given: unknown = pod['spec']['tolerations']
  const tolerations: readonly unknown[] = Array.isArray(given) ? given : []
  const timed = tolerations.flatMap((each, at): PatchOperation[] =>
    isOwn(each) && each['tolerationSeconds'] !== undefined
      ? [{ op: 'remove', path: `/spec/tolerations/${at}/tolerationSeconds` }]
      : [],
  )
  if (tolerations.some((each) => isOwn(each) || isOfEverything(each))) return timed
  const value: JsonObject = { key: UNREACHABLE, operator: 'Exists', effect: NO_EXECUTE }
  return Array.isArray(given)
    ? [{ op: 'add', path: '/spec/tolerations/-', value }]
    : [{ op: 'add', path: '/spec/tolerations', value: [value] }]
}

function isLabelled(pod: Readonly<Record<string, unknown>>): boolean {
  const labels = isRecord(pod['metadata']) ? textsOf(pod['metadata']['labels']) : {}
  return Object.entries(AUTONOMY_LABELS).every(([key, value]) => labels[key] === value)
}

/** Of this taint, which has no value (Kubernetes, core/v1 Toleration: an empty effect is all of them, a missing operator Equal). */
function isOwn(toleration: unknown): toleration is Readonly<Record<string, unknown>> {
  if (!isRecord(toleration) || toleration['key'] !== UNREACHABLE || !isOfEffect(toleration)) return false
  return toleration['operator'] === 'Exists' || (toleration['value'] ?? '') === ''
}

/** Of any taint, for good: one with a time is about other taints, too, and stays as its author wrote it. */
function isOfEverything(toleration: unknown): boolean {
  if (!isRecord(toleration) || (toleration['key'] ?? '') !== '' || !isOfEffect(toleration)) return false
  return toleration['operator'] === 'Exists' && toleration['tolerationSeconds'] === undefined
}

function isOfEffect({ effect = '' }: Readonly<Record<string, unknown>>): boolean {
  return effect === '' || effect === NO_EXECUTE
}
