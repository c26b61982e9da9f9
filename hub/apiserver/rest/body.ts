import { LineCounter, parseDocument } from 'yaml'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isApiObject, isJsonObject } from '../../kube/object/index.ts'
import { decodeProtobuf, ProtobufError } from '../../kube/protobuf/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, failure, unsupportedMediaType } from '../../kube/status.ts'
import { parseMediaType } from './negotiate.ts'

/** A request's body, whole, with what its Content-Type said. */
export interface Body {
  readonly type: string
  readonly bytes: Buffer
}

/** Kubernetes itself stops at 10,000; code that walks objects recursively has to stay well below the stack's end. */
const DEEPEST = 500

const JSON_TYPE = 'application/json'
const YAML_TYPES: ReadonlySet<string> = new Set(['application/yaml', 'text/yaml', 'application/x-yaml'])
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'
const ACCEPTED = [JSON_TYPE, 'application/yaml', PROTOBUF_TYPE]

/** The object in a body; without metadata it gets an empty one. Throws a Status. */
export function decodeObject(body: Body): ApiObject {
  if (parseMediaType(body.type).type === PROTOBUF_TYPE) return decodeBinary(body.bytes)
  const value = decodeJson(body)
  if (!isJsonObject(value)) throw badRequest('the body of the request is no object')
  const object = value['metadata'] === undefined || value['metadata'] === null ? { ...value, metadata: {} } : value
  if (!isApiObject(object)) {
    const missing = typeof value['kind'] === 'string' ? 'apiVersion' : 'kind'
    throw badRequest(
      isJsonObject(object.metadata)
        ? `Object '${missing}' is missing in the body of the request`
        : 'the metadata of the object is no object',
    )
  }
  return object
}

/** JSON or YAML, by the Content-Type. Throws a Status. */
export function decodeJson({ type, bytes }: Body): Json {
  const media = parseMediaType(type).type
  const text = bytes.toString('utf8')
  if (media === '' || media === JSON_TYPE || media.endsWith('+json')) return parseJson(text)
  if (YAML_TYPES.has(media)) return parseYaml(text)
  throw unsupportedMediaType(ACCEPTED)
}

/** What a client applies, in YAML, of which JSON is a part; keys that came twice are told. Throws a Status. */
export function decodeApplied({ bytes }: Body): { readonly value: JsonObject; readonly duplicates: readonly string[] } {
  const text = bytes.toString('utf8')
  const known = text.trimStart().startsWith('{') ? tryJson(text) : undefined
  const { value, duplicates } = known === undefined ? parseApplied(text) : { value: known, duplicates: [] }
  if (isJsonObject(value)) return { value, duplicates }
  throw badRequest('error decoding YAML: the configuration is no object')
}

function parseApplied(text: string): { readonly value: Json; readonly duplicates: readonly string[] } {
  const lines = new LineCounter()
  const { errors } = parseDocument(text, { uniqueKeys: true, lineCounter: lines, prettyErrors: false })
  const wrong = errors.find(({ code }) => code !== 'DUPLICATE_KEY')
  if (wrong) throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${wrong.message}`)
  const duplicates = errors.map(({ pos: [start] }) => {
    const key = /^["']?([^"':]+)/.exec(text.slice(start))?.[1] ?? ''
    return `line ${lines.linePos(start).line}: key ${JSON.stringify(key.trim())} already set in map`
  })
  return { value: parseYaml(text, false), duplicates }
}

function decodeBinary(bytes: Buffer): ApiObject {
  try {
    return decodeProtobuf(bytes)
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    if (error.status === 415) throw unsupportedMediaType([JSON_TYPE, 'application/yaml'], error.message)
    throw badRequest(error.message)
  }
}

function parseJson(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return shallow(value)
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`the body of the request is no JSON: ${error.message}`)
    throw error
  }
}

/** A flow mapping of YAML begins as JSON does. */
function tryJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return shallow(value)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function parseYaml(text: string, uniqueKeys = true): Json {
  const document = parseDocument(text, { uniqueKeys })
  const [problem] = document.errors
  if (problem) throw badRequest(`the body of the request is no YAML: ${problem.message}`)
  try {
    // Through JSON once, so that nothing else than JSON comes in (.inf, dates, references).
    const value: Json = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? 'null')
    return shallow(value)
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) {
      throw badRequest(`the body of the request is no YAML: ${error.message}`)
    }
    throw error
  }
}

function shallow(value: Json): Json {
  let level: readonly Json[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw failure(400, 'BadRequest', `the body of the request is nested deeper than ${DEEPEST}`)
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
  }
  return value
}
