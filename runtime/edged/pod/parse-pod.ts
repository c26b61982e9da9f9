import { Check, Clone, Default, Errors } from 'typebox/value'
import type { JsonObject } from '../../../schemas/index.ts'
import { numberIn, objectIn, textIn } from './json.ts'
import type { Labels, Pod, PodIdentity } from './pod.ts'
import { PodSpec } from './schema/pod-spec.ts'
import { whyNot } from './why-not.ts'

/** A pod, or what keeps this node from running it, for people. */
export type ParsedPod = { readonly pod: Pod } | { readonly identity: PodIdentity; readonly refusal: string }

export interface PodOrigin {
  /** Where the object does not say (a file). */
  readonly uid?: string
  readonly isStatic?: boolean
}

/**
 * Reads a Pod of Kubernetes. A field that this node does not know is not passed over in silence: its pod is refused with
 * the field's name.
 */
export function parsePod(source: JsonObject, { uid = '', isStatic = false }: PodOrigin = {}): ParsedPod {
  const metadata = objectIn(source, 'metadata')
  const identity = {
    uid: textIn(metadata, 'uid') ?? uid,
    name: textIn(metadata, 'name') ?? '',
    namespace: textIn(metadata, 'namespace') ?? 'default',
  }
  const spec: unknown = Default(PodSpec, Clone(source['spec'] ?? {}))
  if (!Check(PodSpec, spec)) return { identity, refusal: whyNot([...Errors(PodSpec, spec)]) }
  const refusal = contradiction(spec)
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

/** What each field alone does not show. */
function contradiction(spec: PodSpec): string | undefined {
  const names = new Set<string>()
  for (const { name } of [...spec.initContainers, ...spec.containers]) {
    if (names.has(name)) return `two containers are called ${name}`
    names.add(name)
  }
  const sidecarHere = spec.containers.find(({ restartPolicy }) => restartPolicy !== undefined)
  if (sidecarHere) {
    return `spec.containers: ${sidecarHere.name} has a restartPolicy of its own, which only init containers have here`
  }
  const volumes = new Set(spec.volumes.map(({ name }) => name))
  for (const { name, volumeMounts } of [...spec.initContainers, ...spec.containers]) {
    const missing = volumeMounts.find((mount) => !volumes.has(mount.name))
    if (missing) return `container ${name} mounts volume ${missing.name}, which spec.volumes does not have`
  }
  return undefined
}

function labelsOf(metadata: JsonObject, key: string): Labels {
  const entries = Object.entries(objectIn(metadata, key))
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}
