import type { Json, JsonObject } from '../../../schemas/index.ts'
import { excessOf, isApiObject, isJsonObject, wellFormed } from '../../kube/object/index.ts'
import { decodeProtobuf, ProtobufError } from '../../kube/protobuf/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, unsupportedMediaType } from '../../kube/status.ts'
import { parseMediaType } from '../answers/negotiate.ts'
import { type Body, checkReadable, checkSaysKind, ofKind, typeInGo, whyNoJson } from './body-kind.ts'
import { parseYamlBody, YamlBodyError } from './yaml-body.ts'

export type { Body } from './body-kind.ts'

/** What a text in YAML says, with keys that came twice in it, as Kubernetes tells of them. */
interface Applied<Value> {
  readonly value: Value
  readonly duplicates: readonly string[]
}

const JSON_TYPE = 'application/json'
const YAML_TYPES: ReadonlySet<string> = new Set(['application/yaml', 'text/yaml', 'application/x-yaml'])
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'
const ACCEPTED = [JSON_TYPE, 'application/yaml', PROTOBUF_TYPE]

/**
 * The object in a body; without metadata it gets an empty one. Of a built-in kind (`expected`) it need not say what it is. Throws a
 * Status.
 */
export function decodeObject(body: Body, expected?: ResourceDefinition): ApiObject {
  if (parseMediaType(body.type).type === PROTOBUF_TYPE) return decodeBinary(body.bytes)
  if (expected) checkReadable(body, expected)
  const value = decodeJson(body)
  if (!isJsonObject(value)) throw badRequest('the body of the request is no object')
  if (expected?.custom) checkSaysKind(body, value, expected)
  const named = expected ? (expected.custom ? { apiVersion: '', ...value } : ofKind(value, expected)) : value
  const object = named['metadata'] === undefined || named['metadata'] === null ? { ...named, metadata: {} } : named
  if (!isApiObject(object)) {
    const missing = typeof named['kind'] === 'string' ? 'apiVersion' : 'kind'
    throw badRequest(
      isJsonObject(object.metadata)
        ? `Object '${missing}' is missing in the body of the request`
        : wrongMetadata(object.metadata, expected),
    )
  }
  return object
}

function wrongMetadata(metadata: Json | undefined, expected: ResourceDefinition | undefined): string {
  if (!expected) return 'the metadata of the object is no object'
  const { kind, version } = expected
  const why = `json: cannot unmarshal ${typeInGo(metadata ?? null)} into Go value of type v1.ObjectMeta`
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`
}

/** A patch; `wrong` begins what is said of one that is no JSON. Throws a Status. */
export function decodePatch(body: Body, wrong: string): Json {
  const why = parseMediaType(body.type).type.endsWith('+json') ? whyNoJson(body.bytes.toString('utf8')) : undefined
  if (why !== undefined) throw badRequest(`${wrong}${why}`)
  return decodeJson(body)
}

/** JSON or YAML, by the Content-Type. Throws a Status. */
export function decodeJson({ type, bytes }: Body): Json {
  const media = parseMediaType(type).type
  const text = bytes.toString('utf8')
  if (media === '' || media === JSON_TYPE || media.endsWith('+json')) return parseJson(text)
  if (!YAML_TYPES.has(media)) throw unsupportedMediaType(ACCEPTED)
  const { value, duplicates } = parseYaml(text, 'the body of the request is no YAML')
  const [first] = duplicates
  if (first === undefined) return value
  throw badRequest(`the body of the request is no YAML: ${first}`)
}

/** What a client applies, in YAML, of which JSON is a part; keys that came twice are told. Throws a Status. */
export function decodeApplied({ bytes }: Body): Applied<JsonObject> {
  const wrong = 'error decoding YAML: error converting YAML to JSON: yaml'
  const { value, duplicates } = parseYaml(bytes.toString('utf8'), wrong)
  if (isJsonObject(value)) return { value, duplicates }
  throw badRequest('error decoding YAML: the configuration is no object')
}

function decodeBinary(bytes: Buffer): ApiObject {
  try {
    const object = wellFormed(bounded(decodeProtobuf(bytes)))
    if (isApiObject(object)) return object
    throw badRequest('the body of the request is no object')
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    if (error.status === 415) throw unsupportedMediaType([JSON_TYPE, 'application/yaml'], error.message)
    throw badRequest(error.message)
  }
}

function parseJson(text: string): Json {
  try {
    return boundedJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`the body of the request is no JSON: ${error.message}`)
    throw error
  }
}

function parseYaml(text: string, wrong: string): Applied<Json> {
  const known = text.trimStart().startsWith('{') ? tryJson(text) : undefined
  if (known !== undefined) return { value: known, duplicates: [] }
  try {
    const { json, duplicates } = parseYamlBody(text)
    return { value: boundedJson(json), duplicates }
  } catch (error) {
    if (error instanceof YamlBodyError) throw badRequest(`${wrong}: ${error.message}`)
    throw error
  }
}

/** A flow mapping of YAML begins as JSON does. */
function tryJson(text: string): Json | undefined {
  try {
    return boundedJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** An escape can stand for half of a character. */
function boundedJson(text: string): Json {
  const value: Json = JSON.parse(text)
  return /\\u[dD][89a-fA-F]/.test(text) ? wellFormed(bounded(value)) : bounded(value)
}

function bounded(value: Json): Json {
  const excess = excessOf(value)
  if (excess !== undefined) throw badRequest(`the body of the request ${excess}`)
  return value
}
