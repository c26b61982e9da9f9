import type { Json, ServiceAccountToken, ServiceAccountTokenRequest } from '../../../schemas/index.ts'
import { isObject } from '../json.ts'

/** The same for the same token, whatever the order of its audiences. */
export function tokenKey(request: ServiceAccountTokenRequest): string {
  const { namespace, serviceAccount, audiences, expirationSeconds = 0, boundTo } = request
  const bound = boundTo && [boundTo.apiVersion, boundTo.kind, boundTo.name, boundTo.uid]
  return JSON.stringify([namespace, serviceAccount, [...audiences].sort(), expirationSeconds, bound ?? null])
}

/** The pod that a token ends with; empty for none. */
export function podOf({ namespace, boundTo }: ServiceAccountTokenRequest): string {
  return boundTo?.kind === 'Pod' ? `${namespace}/pod/${boundTo.name}` : ''
}

/** A TokenRequest of authentication.k8s.io/v1 as KubeEdge's edge sends it. */
export function tokenRequest({ audiences, expirationSeconds, boundTo }: ServiceAccountTokenRequest): Json {
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec: {
      audiences: [...audiences],
      expirationSeconds: expirationSeconds ?? null,
      boundObjectRef: boundTo ? { ...boundTo } : null,
    },
    status: { token: '', expirationTimestamp: null },
  }
}

export interface GivenToken extends ServiceAccountToken {
  /** ms, as the API gave it; undefined where it did not say. */
  readonly lifetime?: number
}

/** The token in the answer; undefined for anything else. */
export function givenToken(content: Json): GivenToken | undefined {
  if (!isObject(content) || !isObject(content['status'])) return undefined
  const { token, expirationTimestamp } = content['status']
  const expiresAt = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN
  if (typeof token !== 'string' || token === '' || !Number.isFinite(expiresAt)) return undefined
  const seconds = isObject(content['spec']) ? content['spec']['expirationSeconds'] : undefined
  return { token, expiresAt, ...(typeof seconds === 'number' && seconds > 0 ? { lifetime: seconds * 1000 } : {}) }
}

/**
 * For how long a token is good, ms: that of a pod may say a year in itself where its request says an hour (kube-apiserver,
 * --service-account-extend-token-expiration), so that it outlives an API that is away. Never less than it was asked for.
 */
export function lastsFor(token: string, lifetime: number): number {
  const claims = claimsOf(token)
  const span = (Number(claims['exp']) - Number(claims['iat'])) * 1000
  return Number.isFinite(span) ? Math.max(lifetime, span) : lifetime
}

/** Of a JSON Web Token, unproven: whoever takes the token looks at it. */
function claimsOf(token: string): Readonly<Record<string, Json | undefined>> {
  try {
    const claims: Json = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return isObject(claims) ? claims : {}
  } catch {
    // A token may be of any form.
    return {}
  }
}
