import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Rights } from './rights.ts'
import { isUnderView } from './topics.ts'

/**
 * An account of the broker that lives in memory alone and is new at each start of the process: for the mappers of this node,
 * which reach devices through the broker. No line of a password file can have its name.
 */
export interface InnerAccount {
  readonly user: string
  readonly password: string
}

/** Its subscriptions are those of all devices together. */
export const INNER_MAX_SUBSCRIPTIONS = 100_000

export function createInnerAccount(): InnerAccount {
  // A colon ends the name in a password file.
  return { user: 'skerry:mappers', password: randomBytes(32).toString('base64url') }
}

export function isInner(account: InnerAccount | undefined, user: string | undefined, password: Uint8Array | undefined) {
  if (account === undefined || user !== account.user || password === undefined) return false
  return timingSafeEqual(digest(password), digest(account.password))
}

/** Topics of devices: all but those of the edge, of its twins and of the broker. What a twin says must never be a reading. */
export const rightsOfInner: Rights = {
  refusePublish: (topic) => (isOfOthers(topic) ? 'mappers may not publish on topics of the edge' : undefined),
  side: () => undefined,
  mayHear: (topic) => !isOfOthers(topic),
  maySubscribe: (filter) => !isOfOthers(filter),
}

function isOfOthers(topic: string): boolean {
  return topic.startsWith('$') || topic.startsWith('SYS/') || isUnderView(topic)
}

function digest(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest()
}
