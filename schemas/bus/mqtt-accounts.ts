import { requestChannel, stateChannel } from './declare.ts'

/**
 * An account of the broker of this node that lives as long as its key, a user name of `podUser`. Written by whoever runs pods;
 * taken away, its connections and sessions end at once.
 */
export interface MqttAccount {
  /** SHA-256 of a random password, hex. The password itself is never on the bus. */
  readonly passwordHash: string
  /** Twins `<namespace>/<name>`; a name may end in `*`. */
  readonly read: readonly string[]
  readonly write: readonly string[]
}
export const mqttAccounts = stateChannel<MqttAccount>('mqtt.accounts')

/** Where a pod finds the broker of this node. */
export type MqttForPods =
  | { readonly host: string; readonly port: number }
  /** Why they cannot, and what to do, for people. */
  | { readonly refusal: string }
/** `host`: the pod is on the network of the node. Served by EventBus, which listens for pods from the first such question on. */
export const mqttForPods = requestChannel<{ readonly network: 'pod' | 'host' }, MqttForPods>('mqtt.for-pods')

/** No line of a password file can have a name with a colon. */
const POD_USERS = 'pod:'

export function podUser({
  namespace,
  name,
  uid,
}: {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}) {
  return `${POD_USERS}${namespace}/${name}/${uid}`
}

export function isPodUser(user: string): boolean {
  return user.startsWith(POD_USERS)
}

/** How a pod says over HTTP which account it has, where a colon would end the name (RFC 7617 §2). */
export function httpUserOf(user: string): string {
  return isPodUser(user) ? `pod/${user.slice(POD_USERS.length)}` : user
}

/** The account of a name that was said over HTTP. */
export function userOfHttp(name: string): string {
  return /^pod\/[^/]+\/[^/]+\/[^/]+$/.test(name) ? `${POD_USERS}${name.slice('pod/'.length)}` : name
}
