import { join } from 'node:path'
import { plainName } from './pod/plain-name.ts'
import type { PodIdentity } from './pod/pod.ts'

/** Where Edged has its files. Names come from the cloud: one that would lead elsewhere is thrown back. */
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

  /** One file in it for each pod: what is known of it until its last trace is gone. */
  get records(): string {
    return join(this.directory, 'records')
  }

  /** All that is kept for one pod, but for its record. */
  pod(uid: string): string {
    return join(this.pods, plainName(uid))
  }

  /** One folder in it for each volume. */
  volumes(uid: string): string {
    return join(this.pod(uid), 'volumes')
  }

  /** What is kept for one container of it. */
  container(uid: string, name: string): string {
    return join(this.pod(uid), 'containers', plainName(name))
  }

  get logs(): string {
    return this.#logs
  }

  /** In the form that log collectors know from a kubelet. */
  podLogs(pod: PodIdentity): string {
    return join(this.#logs, this.podLogFolder(pod))
  }

  /** Relative to `logs`. */
  podLogFolder({ namespace, name, uid }: PodIdentity): string {
    return [namespace, name, uid].map(plainName).join('_')
  }

  /** Relative to `podLogs`. */
  containerLog(container: string, attempt: number): string {
    return join(plainName(container), `${attempt}.log`)
  }
}
