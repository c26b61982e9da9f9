import { openApiIndex } from '../../kube/openapi/index.ts'
import { notAcceptable } from '../../kube/status.ts'
import type { Answer } from '../answers/answer.ts'
import { parseAccept } from '../answers/negotiate.ts'
import type { Registry } from '../objects/registry.ts'
import { isKnown } from './entity-tags.ts'
import { modelTexts } from './model-texts.ts'
import { createOpenApiDocuments, type OpenApiDocumentText } from './openapi-documents.ts'

export interface AskedOpenApi {
  /** Behind `/openapi`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly accept: string | undefined
  readonly knownTags: string | undefined
}

export interface OpenApiAnswers {
  /** Nothing for a path that says nothing. Throws a Status for forms that there are none of. */
  answer(asked: AskedOpenApi): Answer | undefined
}

const JSON_TYPE = 'application/json'
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** What clients call it: an `@` has no place in a media type, so the answer is of the other name. */
const PROTOBUF_TYPES: ReadonlySet<string> = new Set([
  PROTOBUF_TYPE,
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
])
const JSON_TYPES: ReadonlySet<string> = new Set([JSON_TYPE, 'application/*', '*/*'])
/** A document under its hash never changes. */
const FOR_EVER = 'public, immutable, max-age=31536000'

export function openApiAnswers(registry: Registry, documentation = modelTexts()): OpenApiAnswers {
  const documents = createOpenApiDocuments(registry, documentation)

  const index = (): Answer => {
    const hashes = documents.paths().map((path) => [path, documents.ofVersion(path)?.hash ?? ''] as const)
    return { code: 200, type: JSON_TYPE, text: JSON.stringify(openApiIndex(hashes)) }
  }

  const whole = ({ accept, knownTags }: AskedOpenApi): Answer => {
    const type = firstOf(accept, (each) => JSON_TYPES.has(each) || PROTOBUF_TYPES.has(each))
    if (type === undefined) throw notAcceptable([JSON_TYPE, PROTOBUF_TYPE])
    if (!PROTOBUF_TYPES.has(type)) return tagged(documents.whole(), knownTags)
    const { bytes, hash } = documents.wholeAsProtobuf()
    const answer = tagged({ text: '', hash }, knownTags)
    return { ...answer, type: PROTOBUF_TYPE, ...(answer.code === 200 ? { bytes } : {}) }
  }

  const ofVersion = (path: string, { query, accept, knownTags }: AskedOpenApi): Answer | undefined => {
    const document = documents.ofVersion(path)
    if (!document) return undefined
    if (firstOf(accept, (each) => JSON_TYPES.has(each)) === undefined) throw notAcceptable([JSON_TYPE])
    const asked = query.get('hash')
    if (asked === null) return tagged(document, knownTags)
    if (asked === document.hash) return tagged(document, knownTags, { 'cache-control': FOR_EVER })
    const location = `/openapi/v3/${path}?hash=${document.hash}`
    return { code: 301, type: JSON_TYPE, text: '', headers: { location, vary: 'Accept' } }
  }

  return {
    answer(asked) {
      const [form, ...path] = asked.segments
      if (form === 'v2' && path.length === 0) return whole(asked)
      if (form !== 'v3') return undefined
      return path.length === 0 ? index() : ofVersion(path.join('/'), asked)
    },
  }
}

function tagged(
  { text, hash }: OpenApiDocumentText,
  knownTags: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const tag = `"${hash}"`
  const shared = { type: JSON_TYPE, headers: { etag: tag, vary: 'Accept', ...headers } }
  return isKnown(tag, knownTags) ? { ...shared, code: 304, text: '' } : { ...shared, code: 200, text }
}

function firstOf(accept: string | undefined, serves: (type: string) => boolean): string | undefined {
  return parseAccept(accept).find(({ type }) => serves(type))?.type
}
