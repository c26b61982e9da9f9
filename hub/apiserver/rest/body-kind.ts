import type { JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import type { ResourceDefinition } from '../../kube/resource.ts'
import { jsonError } from '../../kube/schema/index.ts'
import { badRequest } from '../../kube/status.ts'
import { parseMediaType } from './negotiate.ts'
import { apiVersionOf } from './registry.ts'

/** A request's body, whole, with what its Content-Type said. */
export interface Body {
  readonly type: string
  readonly bytes: Buffer
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
  if (first === '{') return isJson(text) ? undefined : jsonError(text)
  const type = TYPES[first] ?? (/[-\d]/.test(first) ? 'number' : undefined)
  return jsonError(text) ?? (type && `json: cannot unmarshal ${type} into Go value of type ${TYPE_META}`)
}

const TYPES: Readonly<Record<string, string>> = { '[': 'array', '"': 'string', t: 'bool', f: 'bool' }

/** The reader of the machine is faster than ours, which says what is wrong. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

function summary(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>'
  const isLong = bytes.length > MOST_SHOWN
  const shown = bytes.subarray(0, MOST_SHOWN)
  return `${bytes[0] === 0x7b ? shown.toString('utf8') : shown.toString('hex')}${isLong ? ' ...' : ''}`
}

/** The body with what its URL says of it. Throws a BadRequest Status, in the words of upstream, for another kind than that. */
export function ofKind(value: JsonObject, expected: ResourceDefinition): JsonObject {
  const { kind: givenKind, apiVersion: givenVersion } = value
  const kind = typeof givenKind === 'string' && givenKind !== '' ? givenKind : expected.kind
  const own = apiVersionOf(expected)
  const apiVersion = typeof givenVersion === 'string' && givenVersion !== '' ? givenVersion : own
  if (kind === expected.kind && apiVersion === own) return { ...value, apiVersion, kind }
  const version = apiVersion.split('/').at(-1) ?? ''
  const other = BUILTIN_DEFINITIONS.find((item) => item.kind === kind && apiVersionOf(item) === apiVersion)
  const why = other
    ? `converting (${version}.${kind}) to (${packageOf(expected)}.${expected.kind}): unknown conversion`
    : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(SCHEME)}`
  throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`)
}

/** Where upstream keeps the form of a kind that no version shows. */
function packageOf({ group, kind }: ResourceDefinition): string {
  return group === '' || kind === 'Event' ? 'core' : (group.split('.')[0] ?? group)
}
