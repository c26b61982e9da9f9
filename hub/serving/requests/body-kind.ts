import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import { isJsonObject, textAt } from '../../kube/object/index.ts'
import type { ResourceDefinition } from '../../kube/resource.ts'
import { jsonError } from '../../kube/schema/index.ts'
import { badRequest } from '../../kube/status.ts'
import { parseMediaType } from '../answers/negotiate.ts'
import { apiVersionOf } from '../objects/registry.ts'

/** A request's body, whole, with what its Content-Type said. */
export interface Body {
  readonly type: string
  readonly bytes: Buffer
}

/** Which kind an object says that it is of. */
export interface TypeMeta {
  readonly apiVersion: string
  readonly kind: string
}

/** Of a body that cannot be read so much is told. */
const MOST_SHOWN = 30
const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`
const SCHEME = 'pkg/api/legacyscheme/scheme.go:30'

/** Throws a BadRequest Status, in the words of upstream, for a body in JSON that holds no object. */
export function checkReadable({ type, bytes }: Body, { kind }: ResourceDefinition): void {
  const media = parseMediaType(type).type
  if (media !== '' && media !== 'application/json') return
  const wrong = whyNoObject(bytes.toString('utf8'))
  if (wrong === undefined) return
  const why = `couldn't get version/kind; json parse error: ${wrong}`
  throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`)
}

function whyNoObject(text: string): string | undefined {
  const first = text.trimStart().charAt(0)
  if (first === '{') return whyNoJson(text) ?? wrongTypeMeta(text)
  const type = TYPES[first] ?? (/[-\d]/.test(first) ? 'number' : undefined)
  return jsonError(text) ?? (type && `json: cannot unmarshal ${type} into Go value of type ${TYPE_META}`)
}

function wrongTypeMeta(text: string): string | undefined {
  const value: Json = JSON.parse(text)
  for (const key of ['apiVersion', 'kind']) {
    const given = isJsonObject(value) ? (value[key] ?? '') : ''
    if (typeof given !== 'string') {
      return `json: cannot unmarshal ${typeInGo(given)} into Go struct field .${key} of type string`
    }
  }
  return undefined
}

/** Throws a BadRequest Status, in the words of upstream, for an object of a custom kind that does not say its kind. */
export function checkSaysKind({ bytes }: Body, value: JsonObject, { kind }: ResourceDefinition): void {
  if (textAt(value, 'kind') !== '') return
  const why = missingKind(bytes.toString('utf8'))
  throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`)
}

export function missingKind(text: string): string {
  return `Object 'Kind' is missing in '${text}'`
}

export function typeInGo(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

const TYPES: Readonly<Record<string, string>> = { '[': 'array', '"': 'string', t: 'bool', f: 'bool' }

/** The reader of the machine is faster than ours, which says what is wrong. */
export function whyNoJson(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    if (error instanceof SyntaxError) return jsonError(text) ?? error.message
    throw error
  }
}

function summary(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>'
  const isLong = bytes.length > MOST_SHOWN
  const shown = bytes.subarray(0, MOST_SHOWN)
  return `${bytes[0] === 0x7b ? shown.toString('utf8') : shown.toString('hex')}${isLong ? ' ...' : ''}`
}

/** What a body is to be. */
export type Expected = Pick<ResourceDefinition, 'group' | 'version' | 'kind'>

/** The body with what its URL says of it. Throws a BadRequest Status, in the words of upstream, for another kind than that. */
export function ofKind(value: JsonObject, expected: Expected): JsonObject {
  const named = { ...value, ...typeMetaOf(value, expected) }
  const why = whyOtherKind(named, expected)
  if (why === undefined) return named
  const version = named.apiVersion.split('/').at(-1) ?? ''
  throw badRequest(
    `${named.kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`,
  )
}

/** What is not said is what is expected. */
export function typeMetaOf(value: JsonObject, expected: Expected): TypeMeta {
  return {
    apiVersion: textAt(value, 'apiVersion') || apiVersionOf(expected),
    kind: textAt(value, 'kind') || expected.kind,
  }
}

/** Why an object is none of the built-in kind expected; undefined where it says that it is one. */
export function whyOtherKind({ apiVersion, kind }: TypeMeta, expected: Expected): string | undefined {
  if (kind === expected.kind && apiVersion === apiVersionOf(expected)) return undefined
  if (!builtinOf({ apiVersion, kind })) {
    return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(SCHEME)}`
  }
  const version = apiVersion.split('/').at(-1) ?? ''
  return `converting (${version}.${kind}) to (${packageOf(expected)}.${expected.kind}): unknown conversion`
}

export function builtinOf({ apiVersion, kind }: TypeMeta): ResourceDefinition | undefined {
  return BUILTIN_DEFINITIONS.find((item) => item.kind === kind && apiVersionOf(item) === apiVersion)
}

/** Where upstream keeps the form of a kind that no version shows. */
function packageOf({ group, kind }: Expected): string {
  return group === '' || kind === 'Event' ? 'core' : (group.split('.')[0] ?? group)
}
