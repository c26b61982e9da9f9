import type { Image } from '../cri/runtime.ts'
import type { Waiting } from '../pod/obstacle.ts'
import type { Pod } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'

/** How far an image of a container is. */
export type ImageState =
  | { readonly state: 'present'; readonly image: Image }
  | { readonly state: 'pulling' }
  /** `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull`, `ImageInspectError`, `InvalidImageName`, `RegistryUnavailable`; tried again by itself where that may help. */
  | { readonly state: 'failed'; readonly waiting: Waiting }

/** The images of this node. */
export interface Images {
  /**
   * Where the image of a container stands, by its pull policy. Asks the runtime, starts a pull where one is due, and never waits
   * for it: `onChange` of the maker is told the pod's uid when the answer may be another. Call it once before each start of a
   * container.
   */
  want(pod: Pod, container: Container, signal: AbortSignal): Promise<ImageState>
  /** The pod is gone: its waiting pulls, back-offs and what it was allowed to use end. */
  forget(uid: string): void
}
