import { isPlainName } from '../pod/plain-name.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import type { Volume } from '../pod/schema/volume.ts'

export type EmptyDir = NonNullable<Volume['emptyDir']>

const KINDS = ['emptyDir', 'hostPath', 'configMap', 'secret', 'downwardAPI', 'projected'] as const

/** The volumes that a container mounts; the others need not be made. */
export function usedVolumes({ spec }: Pod): readonly Volume[] {
  const mounted = new Set([...spec.initContainers, ...spec.containers].flatMap(mountedBy))
  return spec.volumes.filter(({ name }) => mounted.has(name))
}

/** A folder of the pod's own; a volume that says nothing is one (Kubernetes, SetDefaults_Volume). */
export function emptyDirOf(volume: Volume): EmptyDir | undefined {
  return kindsOf(volume).length === 0 ? { medium: '' } : volume.emptyDir
}

/** What is wrong with the volumes of a pod as they are written, for people; its volume first. */
export function contradictionOf({ spec }: Pod): readonly [volume: string, why: string] | undefined {
  const names = new Set<string>()
  for (const volume of spec.volumes) {
    const { name } = volume
    const kinds = kindsOf(volume)
    if (!isPlainName(name)) return [name.slice(0, 100), 'its name has to be of letters, digits and hyphens']
    if (names.has(name)) return [name, 'two volumes are called so']
    if (kinds.length > 1) return [name, `it is ${kinds.join(' and ')} at once; choose one`]
    names.add(name)
  }
  return undefined
}

function kindsOf(volume: Volume): readonly string[] {
  return KINDS.filter((kind) => volume[kind] !== undefined)
}

function mountedBy({ volumeMounts }: Container): readonly string[] {
  return volumeMounts.map(({ name }) => name)
}
