import { posix } from 'node:path'
import type { Mount } from '../cri/runtime.ts'
import { expand } from '../pod/expand.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container, VolumeMount } from '../pod/schema/container.ts'
import { isContent } from './content/content.ts'
import { relativePath } from './folders/relative-path.ts'
import type { Mounts } from './mounts/mounts.ts'
import { cannotMount, whyNot } from './obstacles.ts'
import type { PodLayout } from './pod-layout.ts'
import { showSubPath } from './sub-paths/show-sub-path.ts'

export interface MountsOf {
  readonly pod: Pod
  readonly container: Container
  readonly environment: ReadonlyMap<string, string>
  readonly layout: PodLayout
}

const PROPAGATION = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const

/** What the runtime is to mount into a container. Rejects with an ObstacleError that names the mount. */
export async function containerMounts(of: MountsOf, mounts: Mounts): Promise<readonly Mount[]> {
  const { volumeMounts, name } = of.container
  const places = volumeMounts.map(({ mountPath }) => absolute(mountPath))
  const twice = places.find((place, index) => places.indexOf(place) !== index)
  if (twice !== undefined) throw cannotMount(name, `two volumes are mounted at ${twice}`)
  const found: Mount[] = []
  for (const [index, mount] of volumeMounts.entries()) {
    try {
      found.push(await mountOf(mount, index, of, mounts))
    } catch (error) {
      throw cannotMount(name, `volume "${mount.name}": ${whyNot(error)}`, error)
    }
  }
  return found
}

async function mountOf(mount: VolumeMount, index: number, of: MountsOf, mounts: Mounts): Promise<Mount> {
  const { pod, container, layout, environment } = of
  const volume = pod.spec.volumes.find(({ name }) => name === mount.name)
  if (!volume) throw new Error('spec.volumes does not have it')
  const isPrivileged = container.securityContext.privileged === true
  if (mount.mountPropagation === 'Bidirectional' && !isPrivileged) {
    throw new Error('mountPropagation Bidirectional is for privileged containers only')
  }
  const root = volume.hostPath?.path ?? layout.volume(volume)
  const path = subPathOf(mount, environment)
  const target = layout.subPath(container.name, index)
  return {
    containerPath: absolute(mount.mountPath),
    hostPath: path === undefined ? root : await showSubPath({ volume: root, path, target }, mounts),
    readonly: mount.readOnly || isContent(volume),
    selinuxRelabel: volume.hostPath === undefined,
    propagation: PROPAGATION[mount.mountPropagation],
  }
}

/** Undefined: the whole volume. */
function subPathOf(
  { subPath, subPathExpr }: VolumeMount,
  environment: ReadonlyMap<string, string>,
): string | undefined {
  if (subPath !== '' && subPathExpr !== '') throw new Error('subPath and subPathExpr exclude each other')
  const path = subPathExpr === '' ? subPath : expanded(subPathExpr, environment)
  if (subPathExpr !== '' && path === '') throw new Error(`subPathExpr ${subPathExpr} is empty`)
  if (path === '' || posix.normalize(path) === '.') return undefined
  const plain = relativePath(path)
  if (plain === undefined)
    throw new Error(
      `subPath ${JSON.stringify(path.slice(0, 300))} has to stay in the volume: relative and without ".."`,
    )
  return plain
}

/** Throws for a name that is not there: a path must not be another one than was meant. */
function expanded(subPathExpr: string, environment: ReadonlyMap<string, string>): string {
  return expand(subPathExpr, (name) => {
    const value = environment.get(name)
    if (value !== undefined) return value
    throw new Error(`subPathExpr ${subPathExpr} needs the variable ${name}, which is not there`)
  })
}

/** As a kubelet takes it: a path that is not absolute is meant from the root. */
function absolute(path: string): string {
  return posix.resolve('/', path)
}
