import { Check, Clone, Default, Errors } from 'typebox/value'
import type { JsonObject } from '../../../schemas/index.ts'
import { numberIn, objectIn, textIn } from './json.ts'
import type { Labels, Pod, PodIdentity } from './pod.ts'
import { PodSpec } from './schema/pod-spec.ts'
import { specProblem } from './spec-problem.ts'
import { whyNot } from './why-not.ts'

/** A pod, or what keeps this node from running it, for people. */
export type ParsedPod = { readonly pod: Pod } | { readonly identity: PodIdentity; readonly refusal: string }

export interface PodOrigin {
  /** Under which it was assigned; that in the object counts only where none is given. */
  readonly uid?: string
  readonly isStatic?: boolean
}

/**
 * Reads a Pod of Kubernetes. A field that this node does not know is not passed over in silence: its pod is refused with
 * the field's name.
 */
export function parsePod(source: JsonObject, { uid, isStatic = false }: PodOrigin = {}): ParsedPod {
  const metadata = objectIn(source, 'metadata')
  const identity = {
    uid: uid ?? textIn(metadata, 'uid') ?? '',
    name: textIn(metadata, 'name') ?? '',
    namespace: textIn(metadata, 'namespace') ?? 'default',
  }
  const spec: unknown = Default(PodSpec, Clone(source['spec'] ?? {}))
  if (!Check(PodSpec, spec)) return { identity, refusal: whyNot([...Errors(PodSpec, spec)]) }
  const refusal = specProblem(identity, spec)
  if (refusal !== undefined) return { identity, refusal }
  const deletion = deletionOf(metadata, spec)
  return {
    pod: {
      ...identity,
      labels: labelsOf(metadata, 'labels'),
      annotations: labelsOf(metadata, 'annotations'),
      spec,
      ...(deletion ? { deletion } : {}),
      ...{ isStatic, source },
    },
  }
}

function deletionOf(metadata: JsonObject, spec: PodSpec): Pod['deletion'] {
  if (textIn(metadata, 'deletionTimestamp') === undefined) return undefined
  return { graceSeconds: numberIn(metadata, 'deletionGracePeriodSeconds') ?? spec.terminationGracePeriodSeconds }
}

function labelsOf(metadata: JsonObject, key: string): Labels {
  const entries = Object.entries(objectIn(metadata, key))
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}
