import type { Message } from '../../cri/methods.ts'
import { LABELS } from '../../state/labels.ts'
import { type ChannelScripts, scriptedChannel } from '../../testing/scripted-channel.ts'

export const OWNER = 'edge-1'
const NANOSECONDS = 1_000_000

export interface ContainerIn {
  readonly id: string
  readonly pod: string
  readonly name?: string
  readonly state?: 'CREATED' | 'RUNNING' | 'EXITED'
  /** Unix ms. */
  readonly createdAt?: number
  readonly sandbox?: string
  readonly owner?: string
  readonly logPath?: string
  readonly image?: string
}

export interface SandboxIn {
  readonly id: string
  readonly pod: string
  readonly isReady?: boolean
  readonly createdAt?: number
  readonly owner?: string
}

export interface ImageIn {
  readonly id: string
  readonly tags?: readonly string[]
  readonly digests?: readonly string[]
  readonly bytes?: number
  readonly isPinned?: boolean
}

/** A runtime that has what is in its lists, and forgets what it is told to remove. */
export class RuntimeState {
  readonly containers: ContainerIn[] = []
  readonly sandboxes: SandboxIn[] = []
  readonly images: ImageIn[] = []
  readonly filesystems: { readonly mountpoint: string }[] = []
  readonly scripts: ChannelScripts = {
    ListContainers: ({ filter }) => ({ containers: this.containers.map(containerMessage).filter(isWanted(filter)) }),
    ListPodSandbox: ({ filter }) => ({ items: this.sandboxes.map(sandboxMessage).filter(isWanted(filter)) }),
    ContainerStatus: ({ containerId }) => {
      const found = this.containers.find(({ id }) => id === containerId)
      return { status: found ? { ...containerMessage(found), logPath: found.logPath ?? '' } : {} }
    },
    RemoveContainer: ({ containerId }) => remove(this.containers, containerId),
    StopPodSandbox: () => ({}),
    RemovePodSandbox: ({ podSandboxId }) => remove(this.sandboxes, podSandboxId),
    ListImages: () => ({
      images: this.images.map(({ id, tags = [], digests = [], bytes = 1, isPinned = false }) => ({
        ...{ id, repoTags: tags, repoDigests: digests, size: bytes, pinned: isPinned },
      })),
    }),
    RemoveImage: ({ image }) => remove(this.images, Object(image).image),
    ImageFsInfo: () => ({ imageFilesystems: this.filesystems.map(({ mountpoint }) => ({ fsId: { mountpoint } })) }),
    ReopenContainerLog: () => ({}),
  }
  readonly channel = scriptedChannel(this.scripts)

  get ids(): readonly string[] {
    return [...this.containers, ...this.sandboxes, ...this.images].map(({ id }) => id)
  }
}

function remove(list: { readonly id: string }[], id: unknown): Message {
  const at = list.findIndex((each) => each.id === id)
  if (at >= 0) list.splice(at, 1)
  return {}
}

function containerMessage(container: ContainerIn) {
  const { id, pod, name = 'app', state = 'EXITED', createdAt = 0, sandbox = `sandbox-of-${pod}` } = container
  const { owner = OWNER, image = 'till:1' } = container
  return {
    ...{ id, podSandboxId: sandbox, metadata: { name, attempt: 0 }, state: `CONTAINER_${state}` },
    ...{ createdAt: createdAt * NANOSECONDS, image: { image }, imageRef: image, labels: labelsOf(pod, owner) },
  }
}

function sandboxMessage({ id, pod, isReady = false, createdAt = 0, owner = OWNER }: SandboxIn) {
  return {
    ...{ id, metadata: { name: pod, uid: pod, namespace: 'shop', attempt: 0 }, createdAt: createdAt * NANOSECONDS },
    ...{ state: isReady ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY', labels: labelsOf(pod, owner) },
  }
}

function labelsOf(pod: string, owner: string): Readonly<Record<string, string>> {
  return { [LABELS.podUid]: pod, [LABELS.owner]: owner }
}

function isWanted(filter: unknown) {
  const wanted: [string, unknown][] = Object.entries(Object(Object(filter).labelSelector))
  return ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
    wanted.every(([key, value]) => labels[key] === value)
}
