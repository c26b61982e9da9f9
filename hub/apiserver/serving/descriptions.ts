import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../schemas/index.ts'
import { aggregatedDiscovery, coreVersions, groupList, groupOf, resourceList } from '../../kube/discovery/index.ts'
import { openApiDocument, openApiIndex } from '../../kube/openapi/index.ts'
import { failure, notAcceptable, unknownPath } from '../../kube/status.ts'
import { type Answer, plainAnswer } from '../rest/answer.ts'
import { type MediaType, parseAccept } from '../rest/negotiate.ts'
import type { Registry } from '../rest/registry.ts'
import { VERSION } from './version.ts'

/** What the server says about itself: health, version, discovery and OpenAPI. */
export interface Descriptions {
  /** Of a path for which `isPublicPath` holds. */
  health(): Answer
  /** Throws a Status for paths that say nothing. */
  describe(segments: readonly string[], accept: string | undefined, knownTag: string | undefined): Answer
}

export interface DescriptionsOptions {
  readonly registry: Registry
  /** `host:port` as clients reach this server. */
  readonly address: () => string
}

const JSON_TYPE = 'application/json'
const PATHS = ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version']
const HEALTH = /^\/(healthz|livez|readyz)(\/[a-z]+)?$/

/** Whoever asks: probes have no credentials, and an answer that depended on roles would not be about health. */
export function isPublicPath(path: string): boolean {
  return HEALTH.test(path)
}

export function createDescriptions({ registry, address }: DescriptionsOptions): Descriptions {
  const cache = new Map<string, Rendered>()
  let revision = -1
  /** Descriptions are made once for each state of the registry. */
  const once = (key: string, type: string, make: () => JsonObject | undefined): Rendered | undefined => {
    if (revision !== registry.revision) cache.clear()
    revision = registry.revision
    const known = cache.get(key)
    if (known) return known
    const value = make()
    if (!value) return undefined
    const made = rendered(value, type)
    cache.set(key, made)
    return made
  }

  const discovery = (root: 'api' | 'apis', accept: string | undefined): Rendered | undefined => {
    for (const media of parseAccept(accept)) {
      const version = aggregatedVersion(media)
      if (version) {
        const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
        const make = () => aggregatedDiscovery(registry.definitions, root, version)
        return once(`${root} ${version}`, type, make)
      }
      if (isJson(media) && media.parameters['as'] === undefined) break
    }
    const plain = root === 'api' ? () => coreVersions(address()) : () => groupList(registry.definitions)
    return once(root, JSON_TYPE, plain)
  }

  const openApi = (segments: readonly string[]): JsonObject | undefined => {
    const [root, group = '', version = '', ...rest] = segments
    if (rest.length > 0) return undefined
    if (root === undefined) return openApiIndex(registry.definitions)
    if (root === 'api' && version === '') return openApiDocument(registry.definitions, '', group)
    return root === 'apis' ? openApiDocument(registry.definitions, group, version) : undefined
  }

  const find = (segments: readonly string[], accept: string | undefined): Rendered | undefined => {
    const [root, first, second, ...rest] = segments
    const { definitions } = registry
    const json = (make: () => JsonObject | undefined) => once(segments.join('/'), JSON_TYPE, make)
    if (root === undefined) return json(() => ({ paths: PATHS }))
    if (root === 'version' && first === undefined) return json(() => VERSION)
    if (root === 'openapi' && first === 'v3') return json(() => openApi(segments.slice(2)))
    if (root === 'openapi' && first === 'v2' && second === undefined && wantsOpenApi2(accept)) return NO_OPENAPI_2
    if (root === 'openapi') throw failure(404, 'NotFound', 'only OpenAPI v3 is served: see /openapi/v3', {})
    if (rest.length > 0 || (root !== 'api' && root !== 'apis')) return undefined
    if (first === undefined) return discovery(root, accept)
    if (root === 'api') return second === undefined ? json(() => resourceList(definitions, '', first)) : undefined
    return json(() => (second === undefined ? groupOf(definitions, first) : resourceList(definitions, first, second)))
  }

  return {
    // The socket opens when everything is ready, so who gets an answer gets this one.
    health: () => plainAnswer(200, 'ok'),
    describe(segments, accept, knownTag) {
      const found = find(segments, accept)
      if (!found) throw unknownPath()
      if (found !== NO_OPENAPI_2 && !parseAccept(accept).some(isJson)) throw notAcceptable([JSON_TYPE])
      return tagged(found, knownTag)
    },
  }
}

interface Rendered {
  readonly type: string
  readonly text: string
  readonly tag: string
}

function rendered(value: JsonObject, type: string): Rendered {
  const text = JSON.stringify(value)
  return { type, text, tag: `"${createHash('sha256').update(text).digest('hex').slice(0, 40).toUpperCase()}"` }
}

/**
 * A document of OpenAPI v2 that describes nothing. kubectl asks for one, in this form alone, before it applies a List; what it
 * finds no schema for is left to the server to check.
 */
const OPENAPI_2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
const NO_OPENAPI_2: Rendered = { type: OPENAPI_2_TYPE, text: '\n\u00032.0', tag: '"none"' }

function wantsOpenApi2(accept: string | undefined): boolean {
  return accept?.includes('proto-openapi.spec.v2') ?? false
}

function tagged({ type, text, tag }: Rendered, knownTag: string | undefined): Answer {
  const headers = { etag: tag, vary: 'Accept' }
  return knownTag === tag ? { code: 304, type, text: '', headers } : { code: 200, type, text, headers }
}

function aggregatedVersion({ type, parameters }: MediaType): 'v2' | 'v2beta1' | undefined {
  const { g: group, v: version, as } = parameters
  if (type !== 'application/json' || group !== 'apidiscovery.k8s.io' || as !== 'APIGroupDiscoveryList') return undefined
  return version === 'v2' || version === 'v2beta1' ? version : undefined
}

function isJson({ type }: MediaType): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*'
}
