import type { Json, JsonObject } from '../kubernetes.ts'
import { defined, listIn, numberIn, objectIn, textIn } from './json.ts'
import type { Alpha } from './to-v1beta1.ts'

const NANOSECONDS = 1_000_000

/** A v1alpha2 Device from a v1beta1 spec: every protocol as a customized one, which says all there is. */
export function deviceToAlpha(spec: JsonObject): Alpha {
  const node = textIn(spec['nodeName'])
  const properties = listIn(spec['properties'])
  const customizedProtocol = objectIn(spec['protocol'])
  const wished = properties.filter((property) => objectIn(property['desired']))
  // One twin for each name, as the status shows them; names that stand twice are refused elsewhere.
  const twins = wished
    .filter(({ name }, index) => wished.findIndex((other) => other['name'] === name) === index)
    .map((property) => defined({ propertyName: property['name'], desired: property['desired'] }))
  return {
    spec: defined({
      deviceModelRef: objectIn(spec['deviceModelRef']),
      protocol: customizedProtocol && { customizedProtocol },
      nodeSelector: node === undefined ? undefined : selectorOf(node),
      propertyVisitors: properties.length > 0 ? properties.map(visitorOf) : undefined,
    }),
    twins: twins.length > 0 ? twins : undefined,
  }
}

function selectorOf(node: string): JsonObject {
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] }
  return { nodeSelectorTerms: [{ matchExpressions: [expression] }] }
}

function visitorOf(property: JsonObject): JsonObject {
  return defined({
    propertyName: property['name'],
    customizedProtocol: objectIn(property['visitors']),
    reportCycle: cycleOf(property['reportCycle']),
    collectCycle: cycleOf(property['collectCycle']),
  })
}

function cycleOf(value: Json | undefined): number | undefined {
  const cycle = numberIn(value)
  return cycle === undefined ? undefined : cycle * NANOSECONDS
}

const TYPES: Readonly<Record<string, string>> = {
  INT: 'int',
  DOUBLE: 'double',
  FLOAT: 'float',
  STRING: 'string',
  BOOLEAN: 'boolean',
  BYTES: 'bytes',
  // v1alpha2 knows no streams.
  STREAM: 'bytes',
}

/** Spec of a v1alpha2 DeviceModel from one of v1beta1. */
export function modelToAlpha(spec: JsonObject): JsonObject {
  const isPresent = Object.hasOwn(spec, 'properties')
  const properties = listIn(spec['properties']).map((property) => {
    const type = TYPES[textIn(property['type']) ?? '']
    const isNumeric = type === 'int' || type === 'double' || type === 'float'
    const bounds = isNumeric
      ? {
          minimum: boundOf(property['minimum']),
          maximum: boundOf(property['maximum']),
          unit: textIn(property['unit']),
        }
      : {}
    return defined({
      name: property['name'],
      description: textIn(property['description']),
      type: type === undefined ? undefined : { [type]: defined({ accessMode: property['accessMode'], ...bounds }) },
    })
  })
  return defined({ protocol: textIn(spec['protocol']), properties: isPresent ? properties : undefined })
}

function boundOf(value: Json | undefined): number | undefined {
  const bound = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  return Number.isFinite(bound) ? bound : undefined
}
