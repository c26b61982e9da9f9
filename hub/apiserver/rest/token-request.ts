import type { JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, objectAt, textAt, timestamp, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, conflict, invalid, methodNotAllowed, notFound } from '../../kube/status.ts'
import { ISSUER } from '../../serving/access/authentication.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { ofKind } from '../../serving/requests/body-kind.ts'
import type { ApiContext, Change } from './context.ts'

const SHORTEST_SECONDS = 600
const LONGEST_SECONDS = 2 ** 32
const DEFAULT_SECONDS = 3600
const TOKEN_REQUEST = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const
const MOST_AUDIENCES = 32
/** What pods get by themselves is asked for with this lifetime, by which it is known. */
const OF_PODS_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600

/**
 * A TokenRequest with its token, as Kubernetes makes it: that of a pod goes on for a year after the time at which it should be made
 * anew (kube-apiserver, --service-account-extend-token-expiration), unless the pod ends before. Throws a Status.
 */
export function createToken(
  api: ApiContext,
  { definition, namespace }: Change,
  name: string,
  body: ApiObject,
): JsonObject {
  if (!api.accounts) throw methodNotAllowed()
  ofKind(body, TOKEN_REQUEST)
  const account = api.store.get(resourceOf(definition), keyOf(namespace, name))
  if (!account) throw notFound(definition, name)
  const spec = objectAt(body, 'spec')
  const seconds = lifetimeOf(spec)
  const audiences = audiencesOf(spec)
  const bound = boundTo(api, namespace, name, spec)
  const issued = Math.floor(api.clock.now() / 1000)
  const isExtended = seconds === OF_PODS_SECONDS && 'pod' in bound && audiences.every((each) => each === ISSUER)
  const warned = isExtended ? { warnafter: issued + seconds } : {}
  const token = api.accounts.issue({
    iss: ISSUER,
    sub: `system:serviceaccount:${namespace}:${name}`,
    aud: audiences,
    iat: issued,
    nbf: issued,
    exp: issued + (isExtended ? EXTENDED_SECONDS : seconds),
    jti: api.random.uuid(),
    'kubernetes.io': { namespace, serviceaccount: { name, uid: uidOf(account) }, ...bound, ...warned },
  })
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(issued * 1000) },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: timestamp((issued + seconds) * 1000) },
  }
}

function lifetimeOf(spec: JsonObject): number {
  const given = spec['expirationSeconds'] ?? DEFAULT_SECONDS
  const isNumber = typeof given === 'number' && Number.isInteger(given)
  if (isNumber && given >= SHORTEST_SECONDS && given <= LONGEST_SECONDS) return given
  const isLong = isNumber && given > LONGEST_SECONDS
  const why = `may not specify a duration ${isLong ? 'larger than 2^32 seconds' : 'less than 10 minutes'}`
  const message = `Invalid value: ${String(given)}: ${why}`
  throw invalid(TOKEN_REQUEST, '', [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }])
}

function audiencesOf(spec: JsonObject): readonly string[] {
  const given = spec['audiences'] ?? []
  if (!Array.isArray(given) || given.length > MOST_AUDIENCES || given.some((each) => typeof each !== 'string')) {
    throw badRequest('spec.audiences has to be a list of texts')
  }
  return given.length === 0 ? [ISSUER] : given.map(String)
}

/** What tokens can be bound to: by kind, the resource, and under which name a claim tells of it. */
const BOUND = new Map([
  ['Pod', { group: '', plural: 'pods', claim: 'pod', namespaced: true }],
  ['Secret', { group: '', plural: 'secrets', claim: 'secret', namespaced: true }],
  ['Node', { group: '', plural: 'nodes', claim: 'node', namespaced: false }],
])

/** The claim of what the token is to end with. */
function boundTo(api: ApiContext, namespace: string, account: string, spec: JsonObject): JsonObject {
  const reference = spec['boundObjectRef']
  if (!isJsonObject(reference)) return {}
  const [name, kind, apiVersion, uid] = ['name', 'kind', 'apiVersion', 'uid'].map((key) => textAt(reference, key))
  const bound = apiVersion === 'v1' ? BOUND.get(kind ?? '') : undefined
  if (!bound || name === undefined) {
    const version = apiVersion?.includes('/') ? apiVersion : `/${apiVersion}`
    throw badRequest(`cannot bind token to object of type ${version}, Kind=${kind}`)
  }
  const found = api.store.get(resourceOf(bound), keyOf(bound.namespaced ? namespace : '', name))
  if (!found) throw notFound(bound, name)
  if (kind === 'Pod' && (textAt(objectAt(found, 'spec'), 'serviceAccountName') || 'default') !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`,
    )
  }
  if (uid !== '' && uid !== uidOf(found)) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw conflict({ group: '', plural: kind ?? '' }, name, why)
  }
  return { [bound.claim]: { name, uid: uidOf(found) } }
}
