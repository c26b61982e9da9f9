import { isJsonObject, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import { type AccountTokens, ISSUER } from '../rest/account-tokens.ts'
import { keyOf } from '../rest/registry.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { TokenAuthenticator } from './authentication.ts'

/** A token counts as long as its service account, and the pod that it is bound to, are those that it names. */
export function accountAuthenticator(tokens: AccountTokens, store: ObjectStore): TokenAuthenticator {
  return async (token) => {
    const claims = tokens.read(token)
    const audiences = claims?.['aud']
    if (!claims || !Array.isArray(audiences) || !audiences.includes(ISSUER)) return undefined
    const own = objectAt(claims, 'kubernetes.io')
    const namespace = textAt(own, 'namespace')
    for (const [field, resource] of [
      ['serviceaccount', '/serviceaccounts'],
      ['pod', '/pods'],
    ] as const) {
      const named = own[field]
      if (!isJsonObject(named)) continue
      const present = store.get(resource, keyOf(namespace, textAt(named, 'name')))
      if (!present || uidOf(present) !== textAt(named, 'uid')) return undefined
    }
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
    return { name: textAt(claims, 'sub'), groups }
  }
}
