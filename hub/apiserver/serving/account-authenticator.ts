import { type Clock, minutes } from '../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { TokenAuthenticator } from '../../serving/access/authentication.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { User } from '../../serving/user.ts'
import type { AccountTokens } from '../rest/account-tokens.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const EXTRA = 'authentication.kubernetes.io/'
/** As Kubernetes allows for clocks that differ, after the time at which an object should have gone. */
const LEEWAY = minutes(1)

/**
 * A token counts as long as its service account, and the pod, Secret or node that it is bound to, are those that it names, and are not
 * held by finalizers alone. One of a Secret is the one that the Secret holds now.
 */
export function accountAuthenticator(
  tokens: AccountTokens,
  store: Pick<ObjectStore, 'get'>,
  clock: Clock,
): TokenAuthenticator {
  return async (token, audiences) => {
    const claims = tokens.read(token)
    const own = claims?.['aud']
    const shared = Array.isArray(own) ? audiences.filter((each) => own.includes(each)) : []
    if (!claims || shared.length === 0) return undefined
    const isStanding = areThere(claims, store, clock.now() - LEEWAY.milliseconds) && isKept(token, claims, store)
    return isStanding ? { user: accountOf(claims), audiences: shared } : undefined
  }
}

/** `since`: Unix ms; what was to go before it counts as gone. */
function areThere(claims: JsonObject, store: Pick<ObjectStore, 'get'>, since: number): boolean {
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = textAt(own, 'namespace')
  const named = [
    ['serviceaccount', '/serviceaccounts', namespace],
    ['pod', '/pods', namespace],
    ['secret', '/secrets', namespace],
    ['node', '/nodes', ''],
  ] as const
  return named.every(([field, resource, place]) => {
    const bound = own[field]
    if (!isJsonObject(bound)) return true
    const present = store.get(resource, keyOf(place, textAt(bound, 'name')))
    return present !== undefined && uidOf(present) === textAt(bound, 'uid') && !wasToGo(present, since)
  })
}

function wasToGo({ metadata }: ApiObject, since: number): boolean {
  return Date.parse(textAt(metadata, 'deletionTimestamp')) < since
}

/** Who takes a lasting token out of its Secret ends it. One that was asked for has an id, and is in no Secret. */
function isKept(token: string, claims: JsonObject, store: Pick<ObjectStore, 'get'>): boolean {
  const own = objectAt(claims, 'kubernetes.io')
  if (!isJsonObject(own['secret']) || textAt(claims, 'jti') !== '') return true
  const secret = store.get('/secrets', keyOf(textAt(own, 'namespace'), textAt(own['secret'], 'name')))
  const kept = secret ? textAt(objectAt(secret, 'data'), 'token') : ''
  return Buffer.from(kept, 'base64').toString('utf8') === token
}

function accountOf(claims: JsonObject): User {
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = textAt(own, 'namespace')
  const id = textAt(claims, 'jti')
  return {
    name: textAt(claims, 'sub'),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    uid: textAt(objectAt(own, 'serviceaccount'), 'uid'),
    extra: {
      ...(id === '' ? {} : { [`${EXTRA}credential-id`]: [`JTI=${id}`] }),
      ...boundExtra('pod', own['pod']),
      ...boundExtra('node', own['node']),
    },
  }
}

function boundExtra(kind: string, bound: Json | undefined): Readonly<Record<string, readonly string[]>> {
  if (!isJsonObject(bound)) return {}
  return { [`${EXTRA}${kind}-name`]: [textAt(bound, 'name')], [`${EXTRA}${kind}-uid`]: [textAt(bound, 'uid')] }
}
