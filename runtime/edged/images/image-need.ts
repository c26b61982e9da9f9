import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  Backoff,
  type BackoffOptions,
  type Clock,
  type Duration,
  ms,
  type Random,
} from '../../../platform/time/index.ts'
import type { ContainerRuntime, Image } from '../cri/runtime.ts'
import { fieldPathOf, type PodEvent, type PodEvents } from '../events/pod-events.ts'
import type { ImageName } from '../pod/image-name.ts'
import type { Waiting } from '../pod/obstacle.ts'
import { type Pod, podKey } from '../pod/pod.ts'
import type { PodObjects } from '../pod/pod-objects.ts'
import type { Container } from '../pod/schema/container.ts'
import { imageEvents } from './image-events.ts'
import type { ImageState } from './images.ts'
import { loginsOfPod } from './logins-of-pod.ts'
import { pullFailure } from './pull-failure.ts'
import type { Pulled, Pulls } from './pulls.ts'
import { loginsFor } from './registry-logins.ts'

export interface NeedPorts {
  readonly runtime: ContainerRuntime
  readonly objects: PodObjects
  readonly events: PodEvents
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly onChange: (uid: string) => void
  readonly pulls: Pulls
  readonly backoff: BackoffOptions
}

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never'

/** `ErrImagePull` is shown at most so long, then `ImagePullBackOff` until the next try. */
const SHOW_ERROR_MS = 5000

/** One image that one pod wants, for one or more of its containers: from asking for it until they may start. */
export class ImageNeed implements Disposable {
  readonly #ports: NeedPorts
  readonly #name: ImageName
  /** As the pod names it. */
  readonly #image: string
  readonly #backoff: Backoff
  /** Containers that wait, with their field of the pod. */
  readonly #waiting = new Map<string, string>()
  /** Those whose pull is done: their next start needs none. */
  readonly #granted = new Set<string>()
  #pod: Pod
  /** Why they wait; stays during another try, which may fail as the last one. */
  #why: Waiting | undefined
  #attempt: AbortController | undefined
  #timer: Disposable | undefined
  #isOver = false

  constructor(pod: Pod, image: string, name: ImageName, ports: NeedPorts) {
    this.#pod = pod
    this.#image = image
    this.#name = name
    this.#ports = ports
    this.#backoff = new Backoff(ports.backoff, ports.random)
  }

  async ask(pod: Pod, container: Container, policy: PullPolicy, signal: AbortSignal): Promise<ImageState> {
    this.#pod = pod
    const path = pathOf(pod, container)
    const found = await this.#inspect(signal)
    if (this.#isOver) return { state: 'pulling' }
    if (found instanceof RefusedError) return this.#notInspected(container, path, found)
    const isGranted = this.#granted.delete(container.name)
    if (found && (isGranted || policy !== 'Always')) {
      this.leave(container.name)
      if (!isGranted) this.#ports.events.tell(pod, { ...imageEvents.present(this.#image), fieldPath: path })
      return { state: 'present', image: found }
    }
    this.#waiting.set(container.name, path)
    if (policy === 'Never') return this.#never()
    if (!this.#attempt && !this.#timer) this.#begin()
    return this.#why ? { state: 'failed', waiting: this.#why } : { state: 'pulling' }
  }

  /** The container waits no more. False when nobody does, and nothing is remembered. */
  leave(container: string): boolean {
    this.#waiting.delete(container)
    this.#granted.delete(container)
    if (this.#waiting.size === 0) this.#rest()
    return this.#waiting.size + this.#granted.size > 0
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#rest()
  }

  async #inspect(signal: AbortSignal): Promise<Image | RefusedError | undefined> {
    try {
      return await this.#ports.runtime.imageStatus(this.#name.reference, signal)
    } catch (error) {
      if (error instanceof RefusedError) return error
      throw error
    }
  }

  #notInspected(container: Container, path: string, error: RefusedError): ImageState {
    this.#waiting.set(container.name, path)
    const waiting = {
      reason: 'ImageInspectError',
      message: `Failed to inspect image "${this.#image}": ${error.message}`,
    }
    if (!this.#attempt && !this.#timer) {
      this.#tell(imageEvents.inspectFailed(waiting.message))
      this.#askAgain(waiting)
    }
    return { state: 'failed', waiting }
  }

  #never(): ImageState {
    const message = `Container image "${this.#image}" is not present with pull policy of Never`
    const waiting = { reason: 'ErrImageNeverPull', message }
    if (!this.#timer) {
      if (this.#why?.reason !== waiting.reason) this.#tell(imageEvents.never(message))
      this.#askAgain(waiting)
    }
    return { state: 'failed', waiting }
  }

  /** The pod has to ask again later: what stands in the way may be gone then, and there is nothing to do about it here. */
  #askAgain(waiting: Waiting): void {
    if (this.#why?.reason !== waiting.reason) this.#tell(imageEvents.error(waiting))
    this.#why = waiting
    this.#after(this.#backoff.next(), () => this.#changed())
  }

  #begin(): void {
    const attempt = new AbortController()
    this.#attempt = attempt
    void this.#pull(attempt.signal)
  }

  /** Never rejects. */
  async #pull(signal: AbortSignal): Promise<void> {
    const { clock, objects, pulls } = this.#ports
    const begun = clock.monotonic()
    try {
      this.#tell(imageEvents.pulling(this.#image))
      const { logins, missing } = await loginsOfPod(this.#pod, objects, signal)
      if (missing.length > 0) this.#tell(imageEvents.secrets(missing.join('; ')))
      const pulled = await pulls.pull(this.#name, loginsFor(this.#name.repository, logins), signal)
      if (!signal.aborted) this.#succeeded(pulled, clock.monotonic() - begun)
    } catch (error) {
      if (!signal.aborted) await this.#failed(error, signal)
    }
  }

  #succeeded(pulled: Pulled, withWaitMs: number): void {
    this.#tell(imageEvents.pulled(this.#image, pulled, withWaitMs))
    this.#grant()
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    const { reason, message, isUnreachable } = pullFailure(error)
    const isPresent = isUnreachable && (await this.#isPresent(signal))
    if (signal.aborted) return
    this.#ports.log.warn('An image cannot be pulled', {
      pod: podKey(this.#pod),
      image: this.#image,
      error: message,
      usesPresent: isPresent,
    })
    if (isPresent) {
      this.#tell(imageEvents.away(this.#image, message))
      this.#grant()
    } else {
      this.#tell(imageEvents.failed(this.#image, message))
      this.#backOff({ reason, message })
    }
  }

  /** Whether the pod can start without the registry, as it has to where there is no network. */
  async #isPresent(signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#ports.runtime.imageStatus(this.#name.reference, signal)) !== undefined
    } catch (error) {
      this.#ports.log.debug('The runtime does not say whether it has an image', { image: this.#image, error })
      return false
    }
  }

  #grant(): void {
    for (const container of this.#waiting.keys()) this.#granted.add(container)
    this.#waiting.clear()
    this.#rest()
    this.#changed()
  }

  #backOff(waiting: Waiting): void {
    this.#attempt = undefined
    this.#why = waiting
    this.#tell(imageEvents.error(waiting))
    const wait = this.#backoff.next().milliseconds
    const shown = Math.min(SHOW_ERROR_MS, wait / 2)
    this.#after(ms(shown), () => {
      const message = `Back-off pulling image "${this.#image}": ${waiting.reason}: ${waiting.message}`
      this.#why = { reason: 'ImagePullBackOff', message }
      this.#tell(imageEvents.backOff(this.#image))
      this.#tell(imageEvents.error(this.#why))
      this.#after(ms(wait - shown), () => this.#begin())
      this.#changed()
    })
    this.#changed()
  }

  #after(wait: Duration, then: () => void): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#ports.clock.after(wait, () => {
      this.#timer = undefined
      then()
    })
  }

  #rest(): void {
    this.#attempt?.abort(new Error('the image is not waited for any more'))
    this.#attempt = undefined
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    this.#why = undefined
    this.#backoff.reset()
  }

  #changed(): void {
    this.#ports.onChange(this.#pod.uid)
  }

  #tell(event: PodEvent): void {
    for (const fieldPath of this.#waiting.values()) this.#ports.events.tell(this.#pod, { ...event, fieldPath })
  }
}

/** The field of the pod that events of a container name. */
export function pathOf(pod: Pod, { name }: Container): string {
  const isInit = pod.spec.initContainers.some((container) => container.name === name)
  return fieldPathOf(name, isInit ? 'initContainers' : 'containers')
}
