import { openApiIndex } from '../../kube/openapi/index.ts'
import { notAcceptable } from '../../kube/status.ts'
import type { Answer } from '../answers/answer.ts'
import { parseAccept } from '../answers/negotiate.ts'
import type { Asker } from './asker.ts'
import { isKnown } from './entity-tags.ts'
import type { OpenApiDocumentText, OpenApiSource } from './openapi-source.ts'

export interface AskedOpenApi extends Asker {
  /** Behind `/openapi`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly accept: string | undefined
  readonly knownTags: string | undefined
}

export interface OpenApiAnswers {
  /** Nothing for a path that says nothing. Throws a Status for forms that there are none of. */
  answer(asked: AskedOpenApi): Promise<Answer | undefined>
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

export function openApiAnswers(source: OpenApiSource): OpenApiAnswers {
  const index = async (asked: AskedOpenApi): Promise<Answer> => {
    return { code: 200, type: JSON_TYPE, text: JSON.stringify(openApiIndex(await source.hashes(asked))) }
  }

  const whole = async (asked: AskedOpenApi): Promise<Answer> => {
    const { accept, knownTags } = asked
    const type = firstOf(accept, (each) => JSON_TYPES.has(each) || PROTOBUF_TYPES.has(each))
    if (type === undefined) throw notAcceptable([JSON_TYPE, PROTOBUF_TYPE])
    if (!PROTOBUF_TYPES.has(type)) return tagged(await source.whole(asked), knownTags)
    const found = await source.wholeAsProtobuf(asked)
    const answer = tagged({ text: '', hash: found.hash }, knownTags)
    return { ...answer, type: PROTOBUF_TYPE, ...(answer.code === 200 ? { bytes: found.bytes } : {}) }
  }

  const ofVersion = async (path: string, asked: AskedOpenApi): Promise<Answer | undefined> => {
    const { query, accept, knownTags } = asked
    const document = await source.ofVersion(path, asked)
    if (!document) return undefined
    if (firstOf(accept, (each) => JSON_TYPES.has(each)) === undefined) throw notAcceptable([JSON_TYPE])
    const wanted = query.get('hash')
    if (wanted === null) return tagged(document, knownTags)
    if (wanted === document.hash) return tagged(document, knownTags, { 'cache-control': FOR_EVER })
    const location = `/openapi/v3/${path}?hash=${document.hash}`
    return { code: 301, type: JSON_TYPE, text: '', headers: { location, vary: 'Accept' } }
  }

  return {
    async answer(asked) {
      const [form, ...path] = asked.segments
      if (form === 'v2' && path.length === 0) return await whole(asked)
      if (form !== 'v3') return undefined
      return path.length === 0 ? await index(asked) : await ofVersion(path.join('/'), asked)
    },
  }
}

function tagged(
  document: OpenApiDocumentText,
  knownTags: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const tag = `"${document.hash}"`
  const shared = { type: JSON_TYPE, headers: { etag: tag, vary: 'Accept', ...headers } }
  return isKnown(tag, knownTags) ? { ...shared, code: 304, text: '' } : { ...shared, code: 200, text: document.text }
}

function firstOf(accept: string | undefined, serves: (type: string) => boolean): string | undefined {
  return parseAccept(accept).find(({ type }) => serves(type))?.type
}
