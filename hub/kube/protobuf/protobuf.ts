import protobuf from 'protobufjs/light.js'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey } from '../schema/json.ts'
import { FORMS } from './forms.ts'
import { INLINE, messageOfKind, POINTERS, reflection } from './messages.ts'

/** What every Kubernetes protobuf body begins with. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])
/** As much as an API server reads of any body. */
const MOST_BYTES = 3 * 1024 * 1024

/** A protobuf body that cannot be read: 400 it is broken, 415 its kind is read as JSON only. */
export class ProtobufError extends SkerryError {
  readonly status: 400 | 415

  constructor(status: 400 | 415, message: string, fields: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, { code: 'HUB_PROTOBUF_REFUSED', fields, cause })
    this.status = status
  }
}

/**
 * The object of an `application/vnd.kubernetes.protobuf` body (magic and runtime.Unknown around it), as it would be in
 * JSON. DeleteOptions get empty metadata. Throws ProtobufError.
 */
export function decodeProtobuf(bytes: Uint8Array): ApiObject {
  if (bytes.length > MOST_BYTES) throw new ProtobufError(400, 'the protobuf body is too large')
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new ProtobufError(400, 'the body does not begin as Kubernetes protobuf does')
  }
  const unknown = decodeMessage('Unknown', bytes.subarray(MAGIC.length))
  const { typeMeta, raw, contentEncoding } = unknown
  const { apiVersion, kind } = isJsonObject(typeMeta) ? typeMeta : {}
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw new ProtobufError(400, 'the protobuf body does not say its kind')
  }
  const message = messageOfKind(apiVersion, kind)
  if (!message || contentEncoding) {
    throw new ProtobufError(415, 'objects of this kind are read as JSON and YAML only', { apiVersion, kind })
  }
  const body = decodeMessage(message, typeof raw === 'string' ? Buffer.from(raw, 'base64') : Buffer.alloc(0))
  const { metadata } = body
  return { ...body, apiVersion, kind, metadata: isJsonObject(metadata) ? metadata : {} }
}

/** The body that decodeProtobuf reads. Throws ProtobufError for kinds that have no protobuf form here. */
export function encodeProtobuf(object: ApiObject): Uint8Array {
  const { apiVersion, kind, ...body } = object
  const message = messageOfKind(apiVersion, kind)
  if (!message) throw new ProtobufError(415, 'objects of this kind have no protobuf form here', { apiVersion, kind })
  const raw = encodeMessage(message, body)
  const unknown = typeOf('Unknown').encode({ typeMeta: { apiVersion, kind }, raw }).finish()
  return Buffer.concat([MAGIC, unknown])
}

let root: protobuf.Root | undefined

function typeOf(message: string): protobuf.Type {
  root ??= loadRoot()
  return root.lookupType(message)
}

function loadRoot(): protobuf.Root {
  const made = protobuf.Root.fromJSON(reflection())
  made.resolveAll()
  return made
}

function decodeMessage(message: string, bytes: Uint8Array): JsonObject {
  const type = typeOf(message)
  try {
    const plain: unknown = type.toObject(type.decode(bytes), { longs: Number, bytes: String })
    return isJsonObject(plain) ? toJson(type, plain) : {}
  } catch (cause) {
    throw new ProtobufError(400, 'the protobuf body is broken', { message }, cause)
  }
}

/** As Go would write it in JSON: zero values of fields that are no pointers are left out, times are text. */
function toJson(type: protobuf.Type, plain: JsonObject): JsonObject {
  const result: Record<string, Json> = {}
  for (const field of type.fieldsArray) {
    const value = plain[field.name]
    const json = value === undefined ? undefined : fieldJson(field, value)
    const name = `${type.name}.${field.name}`
    if (isJsonObject(json) && INLINE.has(name)) Object.assign(result, json)
    else if (json !== undefined && (!isZero(json) || POINTERS.has(name))) setKey(result, field.name, json)
  }
  return result
}

function isZero(json: Json): boolean {
  return json === '' || json === 0 || json === false
}

function fieldJson(field: protobuf.Field, value: Json): Json | undefined {
  const inner = field.resolvedType
  if (!(inner instanceof protobuf.Type)) return value
  if (isJsonArray(value)) return value.map((each) => messageJson(inner, each) ?? each)
  if (!(field instanceof protobuf.MapField)) return messageJson(inner, value)
  const entries = isJsonObject(value) ? Object.entries(value) : []
  const result: Record<string, Json> = {}
  for (const [key, each] of entries) setKey(result, key, messageJson(inner, each) ?? null)
  return result
}

function messageJson(type: protobuf.Type, value: Json): Json | undefined {
  if (!isJsonObject(value)) return undefined
  const form = FORMS[type.name]
  return form ? form.toJson(value) : toJson(type, value)
}

function encodeMessage(message: string, body: JsonObject): Uint8Array {
  const type = typeOf(message)
  return type.encode(type.fromObject(toPlain(type, body))).finish()
}

function toPlain(type: protobuf.Type, body: JsonObject): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const field of type.fieldsArray) {
    const inner = field.resolvedType
    const value = INLINE.has(`${type.name}.${field.name}`) ? body : body[field.name]
    if (value === undefined || value === null) continue
    plain[field.name] = inner instanceof protobuf.Type ? plainField(field, inner, value) : value
  }
  return plain
}

function plainField(field: protobuf.Field, inner: protobuf.Type, value: Json): unknown {
  if (field.repeated) return isJsonArray(value) ? value.map((each) => plainMessage(inner, each)) : []
  if (!(field instanceof protobuf.MapField)) return plainMessage(inner, value)
  const entries = isJsonObject(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([key, each]) => [key, plainMessage(inner, each)]))
}

function plainMessage(type: protobuf.Type, value: Json): unknown {
  const form = FORMS[type.name]
  if (form) return form.toMessage(value)
  return isJsonObject(value) ? toPlain(type, value) : {}
}
