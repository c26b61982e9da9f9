import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { type FieldError, invalid, notSupported, required } from '../schema/field-error.ts'
import { isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import type { KindRules } from './kind-rules.ts'

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']

export const ENDPOINT_SLICE_RULES: KindRules = { defaults: defaultSlice, validate: sliceErrors }

function defaultSlice(slice: ApiObject): ApiObject {
  const { ports } = slice
  return isJsonArray(ports) ? { ...slice, ports: ports.map(defaultPort) } : slice
}

function defaultPort(port: Json): Json {
  return isJsonObject(port) ? { ...port, name: port['name'] ?? '', protocol: port['protocol'] ?? 'TCP' } : port
}

function sliceErrors(slice: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const type = slice['addressType'] ?? ''
  if (old && !isSame(type, old['addressType'])) return [invalid('addressType', type, 'field is immutable')]
  if (type === '') return [required('addressType')]
  return ADDRESS_TYPES.some((each) => each === type) ? [] : [notSupported('addressType', type, ADDRESS_TYPES)]
}
