import { type Clock, minutes } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { isDeleting, isJsonArray, isJsonObject, objectAt, textAt, uidOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { TokenAuthenticator } from '../../../serving/access/authentication.ts'
import { keyOf } from '../../../serving/objects/registry.ts'
import type { User } from '../../../serving/user.ts'
import type { Issuer } from './issuer.ts'
import { readToken } from './token-signature.ts'

export interface AccountTokenPorts {
  readonly issuer: { get(isKeyMissing: boolean, signal: AbortSignal): Promise<Issuer> }
  readonly nodeName: string
  /** Beside the issuer's own name: audiences for which tokens count here. */
  readonly audiences: readonly string[]
  /** What this node has: pods and Secrets that tokens are bound to. */
  readonly get: (resource: string, key: string) => ApiObject | undefined
  /** uid of a service account, where it is known here. */
  readonly accountUid: (namespace: string, name: string) => string | undefined
  readonly clock: Clock
}

const EXTRA = 'authentication.kubernetes.io/'
/** Clocks of gateways differ; as Kubernetes allows after a time, and more before one. */
const LEEWAY = minutes(1)
const EARLY = minutes(5)

/**
 * Tokens of service accounts, verified without the cloud: signed by a key of the cluster's issuer, for this API, not ended, of an
 * account that has not been made anew, and bound to a pod of this node that is there. One of a Secret is the one that it holds.
 */
export function accountTokens(ports: AccountTokenPorts): TokenAuthenticator {
  return async (token, _audiences, signal) => {
    let issuer = await ports.issuer.get(false, signal)
    let read = readToken(token, issuer.keys)
    if (read && 'unknownKey' in read) {
      issuer = await ports.issuer.get(true, signal)
      read = readToken(token, issuer.keys)
    }
    if (!read || 'unknownKey' in read) return undefined
    const { claims } = read
    const accepted = [issuer.name, ...ports.audiences]
    const audiences = textsAt(claims, 'aud').filter((each) => accepted.includes(each))
    // A lasting token, of a Secret, has no audience.
    const isLasting = claims['exp'] === undefined
    if (textAt(claims, 'iss') !== (isLasting ? LASTING_ISSUER : issuer.name)) return undefined
    if (!isLasting && audiences.length === 0) return undefined
    if (!isNow(claims, ports.clock.now()) || !isStanding(token, claims, ports, isLasting)) return undefined
    return { user: accountOf(claims, isLasting), audiences }
  }
}

const LASTING_ISSUER = 'kubernetes/serviceaccount'

function isNow(claims: JsonObject, now: number): boolean {
  const { exp, nbf } = claims
  if (typeof exp === 'number' && exp * 1000 <= now) return false
  return typeof nbf !== 'number' || nbf * 1000 <= now + EARLY.milliseconds
}

function isStanding(token: string, claims: JsonObject, ports: AccountTokenPorts, isLasting: boolean): boolean {
  if (isLasting) return isKept(token, claims, ports)
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = textAt(own, 'namespace')
  const account = objectAt(own, 'serviceaccount')
  const name = textAt(account, 'name')
  if (namespace === '' || name === '' || textAt(claims, 'sub') !== `system:serviceaccount:${namespace}:${name}`)
    return false
  const known = ports.accountUid(namespace, name)
  if (known !== undefined && known !== textAt(account, 'uid')) return false
  const { pod, node, secret } = own
  if (isJsonObject(node) && textAt(node, 'name') !== ports.nodeName) return false
  const isThere = (resource: string, bound: JsonObject) => {
    const object = ports.get(resource, keyOf(namespace, textAt(bound, 'name')))
    return object !== undefined && uidOf(object) === textAt(bound, 'uid') && !wasToGo(object, ports.clock.now())
  }
  if (isJsonObject(pod) && !isThere('/pods', pod)) return false
  return !isJsonObject(secret) || isThere('/secrets', secret)
}

function wasToGo(object: ApiObject, now: number): boolean {
  return isDeleting(object) && Date.parse(textAt(object.metadata, 'deletionTimestamp')) < now - LEEWAY.milliseconds
}

/** Who takes a lasting token out of its Secret ends it; so the Secret has to be here. */
function isKept(token: string, claims: JsonObject, { get }: AccountTokenPorts): boolean {
  const namespace = textAt(claims, `${LASTING_ISSUER}/namespace`)
  const secret = get('/secrets', keyOf(namespace, textAt(claims, `${LASTING_ISSUER}/secret.name`)))
  const kept = secret ? textAt(objectAt(secret, 'data'), 'token') : ''
  return kept !== '' && Buffer.from(kept, 'base64').toString('utf8') === token
}

function accountOf(claims: JsonObject, isLasting: boolean): User {
  const own = objectAt(claims, 'kubernetes.io')
  const namespace = isLasting ? textAt(claims, `${LASTING_ISSUER}/namespace`) : textAt(own, 'namespace')
  const uid = isLasting
    ? textAt(claims, `${LASTING_ISSUER}/service-account.uid`)
    : textAt(objectAt(own, 'serviceaccount'), 'uid')
  const bound = (kind: 'pod' | 'node') => {
    const to = own[kind]
    if (!isJsonObject(to)) return {}
    return { [`${EXTRA}${kind}-name`]: [textAt(to, 'name')], [`${EXTRA}${kind}-uid`]: [textAt(to, 'uid')] }
  }
  const id = textAt(claims, 'jti')
  return {
    name: textAt(claims, 'sub'),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    uid,
    extra: { ...(id === '' ? {} : { [`${EXTRA}credential-id`]: [`JTI=${id}`] }), ...bound('pod'), ...bound('node') },
  }
}

function textsAt(claims: JsonObject, field: string): readonly string[] {
  const value = claims[field]
  if (typeof value === 'string') return [value]
  return isJsonArray(value) ? value.filter((each) => typeof each === 'string') : []
}
