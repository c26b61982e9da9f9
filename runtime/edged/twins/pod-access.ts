import type { Mount } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'
import type { TwinGrants } from './twin-grants.ts'

/** What every container of a pod is given beside what its spec says. Not part of what a container is made anew for. */
export interface InjectedAccess {
  /**
   * `SKERRY_MQTT_URL`, `_HOST`, `_PORT`, `_USERNAME`, `_PASSWORD_FILE`, and `SKERRY_HTTP_URL`, `_USERNAME`, `_PASSWORD_FILE` where the local
   * HTTP API is on; what the spec sets itself goes before it. Never a secret.
   */
  readonly environment: ReadonlyMap<string, string>
  /** The folder with the password, and the address as it is now. */
  readonly mounts: readonly Mount[]
}

/** Accounts of pods at the broker of this node. Calls for one pod never overlap. */
export interface PodAccess {
  /**
   * Makes the account of a pod, or brings that which it has up to date; its password stays for the life of the pod, over
   * restarts of this process too. The account is there when this settles. Rejects with an ObstacleError where the broker
   * cannot be reached by this pod, or makes no accounts.
   */
  grant(pod: Pod, grants: TwinGrants): Promise<InjectedAccess>
  /** Takes the account away with its connections, its sessions and its files. Harmless for a pod that has none. */
  revoke(uid: string): Promise<void>
  /** Uids of pods that have an account, those of before a restart too. */
  present(): Promise<readonly string[]>
}
