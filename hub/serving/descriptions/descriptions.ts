import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  aggregatedDiscovery,
  coreVersions,
  groupList,
  groupOf,
  resourceList,
  versionsOf,
} from '../../kube/discovery/index.ts'
import type { ResourceDefinition } from '../../kube/resource.ts'
import { notAcceptable, unknownPath } from '../../kube/status.ts'
import { type Answer, plainAnswer } from '../answers/answer.ts'
import { type MediaType, parseAccept } from '../answers/negotiate.ts'
import { yamlText } from '../answers/yaml-text.ts'
import type { ServedKinds } from '../objects/registry.ts'
import type { Asker } from './asker.ts'
import { isKnown } from './entity-tags.ts'
import { openApiAnswers } from './openapi-answers.ts'
import { createOpenApiDocuments } from './openapi-documents.ts'
import type { OpenApiSource } from './openapi-source.ts'
import { VERSION } from './version.ts'

/** What the server says about itself: health, version, discovery and OpenAPI. */
export interface Descriptions {
  /** Of a path for which `isPublicPath` holds. */
  health(): Answer
  /** Throws a Status for paths that say nothing. */
  describe(asked: Asked): Answer | Promise<Answer>
}

export interface Asked extends Asker {
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly accept: string | undefined
  /** If-None-Match. */
  readonly knownTags: string | undefined
}

export interface DescriptionsOptions {
  readonly registry: ServedKinds
  /** Absent: documents are made of the kinds that are served. */
  readonly openApi?: OpenApiSource
  /** `host:port` as clients reach this server. */
  readonly address: () => string
  /** Who issues tokens, and the keys by which they are known; absent: nobody does. */
  readonly issuer?: { readonly name: string; readonly keySet: JsonObject }
}

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const PATHS = ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version']
const HEALTH = /^\/(healthz|livez|readyz)(\/[a-z]+)?$/

/** OpenID Connect Discovery 1.0, §3, as an API server gives it. */
function configuration(issuer: string): JsonObject {
  return {
    issuer,
    jwks_uri: `${issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

/** Whoever asks: probes have no credentials, and an answer that depended on roles would not be about health. */
export function isPublicPath(path: string): boolean {
  return HEALTH.test(path)
}

export function createDescriptions(options: DescriptionsOptions): Descriptions {
  const { registry, address, issuer } = options
  const openApi = openApiAnswers(options.openApi ?? createOpenApiDocuments(registry))
  const cache = new Map<string, Rendered>()
  let revision = -1
  /** Descriptions are made once for each state of the registry. */
  const once = (key: string, type: string, make: () => string | undefined): Rendered | undefined => {
    if (revision !== registry.revision) cache.clear()
    revision = registry.revision
    const known = cache.get(key)
    if (known) return known
    const text = make()
    if (text === undefined) return undefined
    const made = rendered(text, type)
    cache.set(key, made)
    return made
  }

  /** In JSON or YAML, as is preferred. */
  const listed = (path: string, accept: string | undefined, make: () => JsonObject | undefined) => {
    const { type } = parseAccept(accept).find(isPlain) ?? {}
    if (type === undefined) throw notAcceptable([JSON_TYPE, YAML_TYPE])
    const isYaml = type === YAML_TYPE
    return once(`${path} ${isYaml}`, isYaml ? YAML_TYPE : JSON_TYPE, () => {
      const value = make()
      if (!value) return undefined
      return isYaml ? yamlText(value) : `${JSON.stringify(value)}\n`
    })
  }

  const discovery = (root: 'api' | 'apis', accept: string | undefined): Rendered | undefined => {
    const wanted = parseAccept(accept).find((media) => isAggregated(media) || isPlain(media))
    if (wanted && isAggregated(wanted)) {
      const make = () => `${JSON.stringify(aggregatedDiscovery(registry.definitions, root))}\n`
      return once(`${root} aggregated`, AGGREGATED_TYPE, make)
    }
    const make = root === 'api' ? () => coreVersions(address()) : () => groupList(registry.definitions)
    return listed(root, accept, make)
  }

  /** Paths with one form alone. */
  const fixed = (segments: readonly string[], accept: string | undefined): Rendered | undefined => {
    const [root, first] = segments
    if (!parseAccept(accept).some(isJson)) throw notAcceptable([JSON_TYPE])
    const json = (make: () => string | undefined) => once(segments.join('/'), JSON_TYPE, make)
    if (root === undefined) return json(() => indented({ paths: PATHS }))
    if (root === 'version' && first === undefined) return json(() => indented(VERSION))
    const path = segments.join('/')
    if (issuer && path === 'openid/v1/jwks') return json(() => JSON.stringify(issuer.keySet))
    if (issuer && path === '.well-known/openid-configuration')
      return json(() => JSON.stringify(configuration(issuer.name)))
    return undefined
  }

  const find = (segments: readonly string[], accept: string | undefined): Rendered | undefined => {
    const [root, first, second, ...rest] = segments
    if (root !== 'api' && root !== 'apis') return fixed(segments, accept)
    if (rest.length > 0) return undefined
    if (first === undefined) return discovery(root, accept)
    const { definitions } = registry
    const path = segments.join('/')
    if (root === 'apis' && second === undefined) return listed(path, accept, () => groupOf(definitions, first))
    if (root === 'api' && second !== undefined) return undefined
    const [group, version] = second === undefined ? ['', first] : [first, second]
    return listed(path, accept, () => resourceList(definitions, group, version))
  }

  return {
    // The socket opens when everything is ready, so who gets an answer gets this one.
    health: () => plainAnswer(200, 'ok'),
    async describe(asked) {
      const { segments, accept, knownTags } = asked
      const isOpenApi = segments[0] === 'openapi'
      const described = isOpenApi ? await openApi.answer({ ...asked, segments: segments.slice(1) }) : undefined
      if (described) return described
      const found = isOpenApi ? undefined : find(segments, accept)
      if (found) return tagged(found, knownTags)
      if (isServedRoot(registry.definitions, segments)) throw unknownPath()
      return plainAnswer(404, '404 page not found\n')
    },
  }
}

interface Rendered {
  readonly type: string
  readonly text: string
  readonly tag: string
}

function rendered(text: string, type: string): Rendered {
  return { type, text, tag: `"${createHash('sha256').update(text).digest('hex').slice(0, 40).toUpperCase()}"` }
}

/** As an upstream server writes these two, whoever asks. */
function indented(value: JsonObject): string {
  return JSON.stringify(value, undefined, 2)
}

/** Whether a path leads into a group that is served: it is told in a Status then that it leads no further. */
function isServedRoot(definitions: readonly ResourceDefinition[], [root, group]: readonly string[]): boolean {
  return root === 'api' || (root === 'apis' && group !== undefined && versionsOf(definitions, group).length > 0)
}

function tagged({ type, text, tag }: Rendered, knownTags: string | undefined): Answer {
  const headers = { etag: tag, vary: 'Accept' }
  return isKnown(tag, knownTags) ? { code: 304, type, text: '', headers } : { code: 200, type, text, headers }
}

/** Version v2beta1 ended with Kubernetes 1.33: who knows no other asks group by group. */
function isAggregated({ type, parameters }: MediaType): boolean {
  const { g: group, v: version, as } = parameters
  const isList = group === 'apidiscovery.k8s.io' && as === 'APIGroupDiscoveryList'
  return type === 'application/json' && isList && version === 'v2'
}

/** An object as it is, not as a table or another form of its own. */
function isPlain(media: MediaType): boolean {
  return media.parameters['as'] === undefined && (isJson(media) || media.type === YAML_TYPE)
}

function isJson({ type }: MediaType): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*'
}
