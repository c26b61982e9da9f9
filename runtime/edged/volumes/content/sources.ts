import type { ServiceAccountToken, ServiceAccountTokenRequest } from '../../../../schemas/index.ts'
import type { PodFacts } from '../../pod/facts.ts'
import type { Pod } from '../../pod/pod.ts'
import type { PodObjects } from '../../pod/pod-objects.ts'
import type { VolumeFile } from '../folders/atomic-folder.ts'

/** From what the files of volumes are made. */
export interface ContentSources {
  readonly objects: PodObjects
  /** A token that is not expired; asked again, a newer one when it is time. */
  readonly token: (request: ServiceAccountTokenRequest) => Promise<ServiceAccountToken>
}

export interface ContentOf {
  readonly pod: Pod
  readonly facts: PodFacts
  readonly signal: AbortSignal
}

/** Files of one source; a path may still lead anywhere. */
export type SourceFiles = readonly (readonly [path: string, file: VolumeFile])[]
