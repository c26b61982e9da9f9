import { join } from 'node:path'
import type { PodIdentity } from './pod/pod.ts'

/** Where Edged has its files. */
export class Places {
  /** Of what is kept for pods; mode 0700. */
  readonly directory: string
  /** Of their logs. */
  readonly #logs: string

  constructor(directory: string, logs: string) {
    this.directory = directory
    this.#logs = logs
  }

  /** One folder in it for each pod, called after its uid. */
  get pods(): string {
    return join(this.directory, 'pods')
  }

  /** All that is kept for one pod. */
  pod(uid: string): string {
    return join(this.pods, uid)
  }

  /** One folder in it for each volume. */
  volumes(uid: string): string {
    return join(this.pod(uid), 'volumes')
  }

  /** What is kept for one container of it. */
  container(uid: string, name: string): string {
    return join(this.pod(uid), 'containers', name)
  }

  get logs(): string {
    return this.#logs
  }

  /** In the form that log collectors know from a kubelet. */
  podLogs({ namespace, name, uid }: PodIdentity): string {
    return join(this.#logs, `${namespace}_${name}_${uid}`)
  }

  /** Relative to `podLogs`. */
  containerLog(container: string, attempt: number): string {
    return join(container, `${attempt}.log`)
  }
}
