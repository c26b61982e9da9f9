import { join } from 'node:path'
import { BugError } from '../../../platform/lifecycle/index.ts'
import type { Places } from '../places.ts'
import type { Volume } from '../pod/schema/volume.ts'
import { isSecret } from './content/content.ts'
import { isPlainName } from './folders/relative-path.ts'

/** Where the volumes of one pod are. Names come from the cloud: none of them leads elsewhere. */
export class PodLayout {
  readonly #places: Places
  readonly #uid: string

  constructor(places: Places, uid: string) {
    this.#places = places
    this.#uid = plain(uid)
  }

  /** All that is kept for the pod. */
  get pod(): string {
    return this.#places.pod(this.#uid)
  }

  get volumes(): string {
    return this.#places.volumes(this.#uid)
  }

  /** Holds the volumes that belong in memory: one mount for all of a pod. */
  get memory(): string {
    return join(this.pod, 'memory')
  }

  /** What containers see of a volume, if it is not of the host. */
  volume(volume: Volume): string {
    return join(isSecret(volume) ? this.memory : this.volumes, plain(volume.name))
  }

  unfinished(volume: Volume): string {
    return join(this.volumes, `.${plain(volume.name)}`)
  }

  /** Of the mount with this number. */
  subPath(container: string, index: number): string {
    return join(this.#places.container(this.#uid, plain(container)), 'sub-paths', String(index))
  }

  get hosts(): string {
    return join(this.pod, 'hosts')
  }

  /** What the container of this attempt says at its end. */
  lastWords(container: string, attempt: number): string {
    return join(this.#places.container(this.#uid, plain(container)), `last-words-${Math.trunc(attempt)}`)
  }
}

/** Whoever reads names refuses those that are not plain; one that comes here all the same must not become a path. */
function plain(name: string): string {
  if (isPlainName(name)) return name
  throw new BugError('A name that is to be part of a path is not plain', {
    code: 'EDGED_NAME_NOT_PLAIN',
    fields: { name: name.slice(0, 300) },
  })
}
