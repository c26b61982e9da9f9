import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../platform/time/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { isDeleting, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { API_AUDIENCES, type TokenAuthenticator } from '../../serving/access/authentication.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { expiry } from '../controllers/expiry.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const SECRETS = '/secrets'
const NAMESPACE = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = 'system:bootstrappers'
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const EVERY = minutes(1)

/** Tokens that Secrets of kube-system hold, for machines that have no certificate yet. They are for this API alone. */
export function bootstrapAuthenticator(store: ObjectStore, clock: Clock): TokenAuthenticator {
  return async (token, audiences) => {
    const [, id, secret] = TOKEN.exec(token) ?? []
    const own = audiences.filter((each) => API_AUDIENCES.includes(each))
    if (id === undefined || secret === undefined || own.length === 0) return undefined
    const found = store.get(SECRETS, keyOf(NAMESPACE, `bootstrap-token-${id}`))
    if (found?.['type'] !== TYPE || isDeleting(found) || hasEnded(found, clock.now())) return undefined
    const isRight = valueIn(found, 'token-id') === id && isSame(valueIn(found, 'token-secret'), secret)
    const extra = valueIn(found, 'auth-extra-groups')
      .split(',')
      .filter((group) => group !== '')
    if (!isRight || valueIn(found, 'usage-bootstrap-authentication') !== 'true') return undefined
    if (!extra.every((group) => EXTRA_GROUP.test(group))) return undefined
    return { user: { name: `system:bootstrap:${id}`, groups: [GROUP, ...new Set(extra)] }, audiences: own }
  }
}

/** Takes away bootstrap tokens that have ended. */
export function bootstrapExpiry(options: ControllerOptions): Controller {
  const isOver = (secret: ApiObject, now: number) => secret['type'] === TYPE && hasEnded(secret, now)
  return expiry(options, { resource: SECRETS, prefix: `${NAMESPACE}/`, every: EVERY, isOver })
}

/** One whose end cannot be read has ended. */
function hasEnded(secret: ApiObject, now: number): boolean {
  const expiration = valueIn(secret, 'expiration')
  return expiration !== '' && !(Date.parse(expiration) > now)
}

function valueIn(secret: ApiObject, key: string): string {
  return Buffer.from(textAt(objectAt(secret, 'data'), key), 'base64').toString('utf8')
}

function isSame(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
