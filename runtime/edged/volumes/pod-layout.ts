import { join } from 'node:path'
import type { Places } from '../places.ts'
import { plainName } from '../pod/plain-name.ts'
import type { Volume } from '../pod/schema/volume.ts'
import { isSecret } from './content/content.ts'

/** Where the volumes of one pod are. Names come from the cloud: none of them leads elsewhere. */
export class PodLayout {
  readonly #places: Places
  readonly #uid: string

  constructor(places: Places, uid: string) {
    this.#places = places
    this.#uid = plainName(uid)
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
    return join(isSecret(volume) ? this.memory : this.volumes, plainName(volume.name))
  }

  unfinished(volume: Volume): string {
    return join(this.volumes, `.${plainName(volume.name)}`)
  }

  /** Of the mount with this number. */
  subPath(container: string, index: number): string {
    return join(this.#places.container(this.#uid, container), 'sub-paths', String(index))
  }

  get hosts(): string {
    return join(this.pod, 'hosts')
  }

  /** What the container of this attempt says at its end. */
  lastWords(container: string, attempt: number): string {
    return join(this.#places.container(this.#uid, container), `last-words-${Math.trunc(attempt)}`)
  }
}
