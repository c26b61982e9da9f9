import type { Metrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes, type Random, seconds } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { PodEvents } from '../events/pod-events.ts'
import { type ImageName, parseImageName } from '../pod/image-name.ts'
import type { Pod } from '../pod/pod.ts'
import type { PodObjects } from '../pod/pod-objects.ts'
import type { Container } from '../pod/schema/container.ts'
import { imageEvents } from './image-events.ts'
import { ImageNeed, type NeedPorts, type PullPolicy, pathOf } from './image-need.ts'
import type { ImageState, Images } from './images.ts'
import { type PullOptions, Pulls } from './pulls.ts'

export interface ImagesPorts {
  readonly runtime: ContainerRuntime
  /** For pull secrets. */
  readonly objects: PodObjects
  readonly events: PodEvents
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** What `want` says of an image of this pod may be something else now. */
  readonly onChange: (uid: string) => void
}

export interface ImagesOptions extends PullOptions {
  /** Waits between failed pulls of one image for one pod. */
  readonly backoff: { readonly first: Duration; readonly most: Duration }
}

const IMAGES_DEFAULTS: ImagesOptions = {
  maxParallelPulls: 1,
  pullDeadline: minutes(60),
  backoff: { first: seconds(10), most: minutes(5) },
}

/** Disposing ends all pulls and waits. */
export function createImages(ports: ImagesPorts, options: Partial<ImagesOptions> = {}): Images & Disposable {
  return new NodeImages(ports, { ...IMAGES_DEFAULTS, ...options })
}

/** As Kubernetes sets it by default: what is called `latest` may be another image tomorrow. */
function pullPolicyOf({ imagePullPolicy }: Container, { tag, digest }: ImageName): PullPolicy {
  return imagePullPolicy ?? (tag === 'latest' && digest === undefined ? 'Always' : 'IfNotPresent')
}

interface PodImages {
  /** By the image as the pod names it. */
  readonly needs: Map<string, ImageNeed>
  /** Names that are none, by container: told once. */
  readonly invalid: Map<string, string>
}

class NodeImages implements Images, Disposable {
  readonly #ports: NeedPorts
  readonly #pods = new Map<string, PodImages>()

  constructor(ports: ImagesPorts, options: ImagesOptions) {
    this.#ports = { ...ports, pulls: new Pulls(ports, options), backoff: options.backoff }
  }

  async want(pod: Pod, container: Container, signal: AbortSignal): Promise<ImageState> {
    const images = this.#of(pod.uid)
    for (const [image, need] of images.needs) {
      if (image === container.image || need.leave(container.name)) continue
      need[Symbol.dispose]()
      images.needs.delete(image)
    }
    const name = parseImageName(container.image)
    if (typeof name === 'string') return this.#invalid(pod, container, name)
    images.invalid.delete(container.name)
    let need = images.needs.get(container.image)
    if (!need) {
      need = new ImageNeed(pod, container.image, name, this.#ports)
      images.needs.set(container.image, need)
    }
    return need.ask(pod, container, pullPolicyOf(container, name), signal)
  }

  forget(uid: string): void {
    for (const need of this.#pods.get(uid)?.needs.values() ?? []) need[Symbol.dispose]()
    this.#pods.delete(uid)
  }

  [Symbol.dispose](): void {
    for (const uid of [...this.#pods.keys()]) this.forget(uid)
    this.#ports.pulls[Symbol.dispose]()
  }

  #of(uid: string): PodImages {
    const images = this.#pods.get(uid) ?? { needs: new Map(), invalid: new Map() }
    this.#pods.set(uid, images)
    return images
  }

  #invalid(pod: Pod, container: Container, why: string): ImageState {
    const { name, image } = container
    const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`
    const waiting = { reason: 'InvalidImageName', message }
    const { invalid } = this.#of(pod.uid)
    if (invalid.get(name) !== image) {
      invalid.set(name, image)
      const fieldPath = pathOf(pod, container)
      this.#ports.events.tell(pod, { ...imageEvents.inspectFailed(message), fieldPath })
      this.#ports.events.tell(pod, { ...imageEvents.error(waiting), fieldPath })
    }
    return { state: 'failed', waiting }
  }
}
