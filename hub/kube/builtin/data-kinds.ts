import type { Json } from '../../../schemas/index.ts'
import { entryOf } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { type FieldError, forbidden, invalid, required, tooLong } from '../schema/field-error.ts'
import { at, isJsonObject, isSame } from '../schema/json.ts'
import { configKey } from '../schema/names.ts'
import type { KindRules } from './kind-rules.ts'

/** All values of one ConfigMap or Secret together. */
const MOST_BYTES = 1024 * 1024

/** Keys that a Secret of a type must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const CONFIG_MAP_RULES: KindRules = { validate: configMapErrors }
export const SECRET_RULES: KindRules = { defaults: defaultSecret, validate: secretErrors }

/** `stringData` is for writing only: it becomes `data`. */
function defaultSecret(secret: ApiObject): ApiObject {
  const { stringData } = secret
  const typed: ApiObject = { ...secret, type: secret['type'] || 'Opaque' }
  if (!isJsonObject(stringData)) return typed
  const encoded: Record<string, Json> = {}
  for (const [key, value] of Object.entries(stringData)) encoded[key] = Buffer.from(String(value)).toString('base64')
  const data = isJsonObject(secret['data']) ? secret['data'] : {}
  const { stringData: _written, ...kept } = typed
  return {
    ...kept,
    apiVersion: typed.apiVersion,
    kind: typed.kind,
    metadata: typed.metadata,
    data: { ...data, ...encoded },
  }
}

function configMapErrors(map: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const data = entries(map['data'])
  const binary = entries(map['binaryData'])
  const names = new Set(data.map(([key]) => key))
  return [
    ...keyErrors('data', data),
    ...keyErrors('binaryData', binary),
    ...binary
      .filter(([key]) => names.has(key))
      .map(([key]) => invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...sizeErrors('', bytesOf(data) + base64BytesOf(binary)),
    ...immutableErrors(map, old, ['data', 'binaryData']),
  ]
}

function secretErrors(secret: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const data = entries(secret['data'])
  const { type } = secret
  const needed = typeof type === 'string' ? (entryOf(SECRET_KEYS, type) ?? []) : []
  return [
    ...keyErrors('data', data),
    ...sizeErrors('data', base64BytesOf(data)),
    ...needed.filter((key) => at(secret, 'data', key) === undefined).map((key) => required(`data[${key}]`)),
    ...(type === 'kubernetes.io/basic-auth' && !data.some(([key]) => key === 'username' || key === 'password')
      ? [required('data[username]'), required('data[password]')]
      : []),
    ...(type === 'kubernetes.io/service-account-token' && !ownerAccount(secret)
      ? [required('metadata.annotations[kubernetes.io/service-account.name]')]
      : []),
    ...(old && !isSame(type, old['type']) ? [invalid('type', type ?? '', 'field is immutable')] : []),
    ...immutableErrors(secret, old, ['data']),
  ]
}

function ownerAccount(secret: ApiObject): Json | undefined {
  return at(secret.metadata, 'annotations', 'kubernetes.io/service-account.name')
}

function keyErrors(field: string, data: readonly (readonly [string, Json])[]): readonly FieldError[] {
  return data.flatMap(([key]) => configKey(key).map((text) => invalid(`${field}[${key}]`, key, text)))
}

function sizeErrors(field: string, bytes: number): readonly FieldError[] {
  return bytes > MOST_BYTES ? [tooLong(field, MOST_BYTES)] : []
}

/** `immutable: true` cannot be taken back, nor what it protects be changed. */
function immutableErrors(
  object: ApiObject,
  old: ApiObject | undefined,
  fields: readonly string[],
): readonly FieldError[] {
  if (old?.['immutable'] !== true) return []
  const text = 'field is immutable when `immutable` is set'
  const changed = fields.filter((field) => !isSame(object[field], old[field])).map((field) => forbidden(field, text))
  return object['immutable'] === true ? changed : [forbidden('immutable', text), ...changed]
}

function bytesOf(data: readonly (readonly [string, Json])[]): number {
  return data.reduce((sum, [, value]) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0)
}

function base64BytesOf(data: readonly (readonly [string, Json])[]): number {
  return data.reduce((sum, [, value]) => sum + (typeof value === 'string' ? Buffer.byteLength(value, 'base64') : 0), 0)
}

function entries(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isJsonObject(value) ? Object.entries(value) : []
}
