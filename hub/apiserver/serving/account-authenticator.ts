import type { JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import type { AccountTokens } from '../rest/account-tokens.ts'
import type { User } from '../rest/context.ts'
import { keyOf } from '../rest/registry.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { TokenAuthenticator } from './authentication.ts'

const EXTRA = 'authentication.kubernetes.io/'

/** A token counts as long as its service account, and the pod that it is bound to, are those that it names. */
export function accountAuthenticator(tokens: AccountTokens, store: ObjectStore): TokenAuthenticator {
  return async (token, audiences) => {
    const claims = tokens.read(token)
    const own = claims?.['aud']
    const shared = Array.isArray(own) ? audiences.filter((each) => own.includes(each)) : []
    if (!claims || shared.length === 0 || !isAlive(claims, store)) return undefined
    return { user: accountOf(claims), audiences: shared }
  }
}

function isAlive(claims: JsonObject, store: ObjectStore): boolean {
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = textAt(own, 'namespace')
  const named = [
    ['serviceaccount', '/serviceaccounts'],
    ['pod', '/pods'],
    ['secret', '/secrets'],
  ] as const
  return named.every(([field, resource]) => {
    const bound = own[field]
    if (!isJsonObject(bound)) return true
    const present = store.get(resource, keyOf(namespace, textAt(bound, 'name')))
    return present !== undefined && uidOf(present) === textAt(bound, 'uid')
  })
}

function accountOf(claims: JsonObject): User {
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = textAt(own, 'namespace')
  const pod = objectAt(own, 'pod')
  const id = textAt(claims, 'jti')
  return {
    name: textAt(claims, 'sub'),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    uid: textAt(objectAt(own, 'serviceaccount'), 'uid'),
    extra: {
      ...(id === '' ? {} : { [`${EXTRA}credential-id`]: [`JTI=${id}`] }),
      ...(own['pod'] === undefined
        ? {}
        : { [`${EXTRA}pod-name`]: [textAt(pod, 'name')], [`${EXTRA}pod-uid`]: [textAt(pod, 'uid')] }),
    },
  }
}
