import { isDeepStrictEqual } from 'node:util'
import {
  type Device,
  type DeviceModel,
  type KubeObject,
  type ModelProperty,
  mergedProperties,
  parseValue,
  refuseDesired,
} from '../../../schemas/index.ts'
import { isKubeObject, isRecord } from '../kubernetes/guards.ts'
import { DEVICE_MODELS, DEVICES } from '../kubernetes/resources.ts'
import { annotationErrors, settingsOf } from './annotations.ts'
import type { FieldError } from './field-error.ts'
import { type RuleLookup, ruleObjectErrors, ruleSettingsOf } from './rules.ts'

/** Finds the DeviceModel that a Device refers to; nothing where it does not exist (yet). */
export type ModelLookup = (namespace: string, name: string) => Promise<DeviceModel | undefined>

/** What objects are judged with. */
export interface ReviewLookups {
  readonly modelOf: ModelLookup
  /** Absent: rules are not judged. */
  readonly rules?: RuleLookup
}

/** Answers one AdmissionReview (admission.k8s.io/v1). Nothing where the body is no review. */
export async function answerReview(body: unknown, lookups: ReviewLookups): Promise<object | undefined> {
  const request = isRecord(body) ? body['request'] : undefined
  if (!isRecord(request) || typeof request['uid'] !== 'string') return undefined
  const verdict = await judge(request, lookups)
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: request['uid'], ...verdict },
  }
}

async function judge(request: Readonly<Record<string, unknown>>, lookups: ReviewLookups): Promise<object> {
  const object = request['object']
  // A deletion has no object; what the schema should have refused is not judged here.
  if (!isKubeObject(object) || isAsBefore(object, request['oldObject'])) return { allowed: true }
  const namespace = typeof request['namespace'] === 'string' ? request['namespace'] : 'default'
  const isKnown = hasSameSpec(object, request['oldObject']) && object.kind !== 'Rule'
  const found = isKnown ? [] : await errorsOf(object, namespace, lookups)
  const errors = [...settingErrors(object), ...found]
  const [first] = errors
  if (!first) return { allowed: true }
  const causes = errors.map(({ field, message }) => ({ reason: 'FieldValueInvalid', field, message }))
  const message = errors.map(({ field, message }) => `${field}: Invalid value: ${message}`).join(', ')
  const details = {
    name: object.metadata.name,
    kind: object.kind,
    group: object.apiVersion?.split('/')[0] ?? '',
    causes,
  }
  return { allowed: false, status: { status: 'Failure', reason: 'Invalid', code: 422, message, details } }
}

/** Labels, foreign annotations and finalizers of an object that became invalid by an edit of its model must stay editable. */
function isAsBefore(object: KubeObject, old: unknown): boolean {
  const settings = (of: KubeObject) => [...settingsOf(of), ...ruleSettingsOf(of)]
  return hasSameSpec(object, old) && isKubeObject(old) && isDeepStrictEqual(settings(object), settings(old))
}

function hasSameSpec(object: KubeObject, old: unknown): boolean {
  return isKubeObject(old) && isDeepStrictEqual(Reflect.get(object, 'spec'), Reflect.get(old, 'spec'))
}

function settingErrors(object: KubeObject): readonly FieldError[] {
  if (object.kind === 'Device' && DEVICES.accepts(object)) return annotationErrors(object, object.spec.properties ?? [])
  if (object.kind === 'DeviceModel' && DEVICE_MODELS.accepts(object))
    return annotationErrors(object, object.spec.properties ?? [])
  return []
}

async function errorsOf(
  object: KubeObject,
  namespace: string,
  { modelOf, rules }: ReviewLookups,
): Promise<readonly FieldError[]> {
  const ofRules = rules && ruleObjectErrors(object, namespace, rules)
  if (ofRules) return ofRules
  if (object.kind === 'Device' && DEVICES.accepts(object)) {
    const reference = object.spec.deviceModelRef?.name
    return deviceErrors(object, reference ? await modelOf(namespace, reference) : undefined)
  }
  if (object.kind === 'DeviceModel' && DEVICE_MODELS.accepts(object)) return modelErrors(object)
  return []
}

/** Without its model a device is only looked at alone: Accepted=False tells the rest later. */
export function deviceErrors(device: Device, model: DeviceModel | undefined): readonly FieldError[] {
  const errors = [...duplicates(device.spec.properties ?? [])]
  if (!model) return errors
  const known = new Set((model.spec.properties ?? []).map(({ name }) => name))
  for (const [index, { device: property, model: declared }] of mergedProperties(device, model).entries()) {
    const text = property.desired?.value
    // Go clients write an absent desired value as an empty text.
    if (text === undefined || (text === '' && (declared.type !== 'STRING' || declared.accessMode === 'ReadOnly')))
      continue
    const message = known.has(property.name)
      ? refuseDesired(declared, text)
      : `DeviceModel ${model.metadata.name} has no property ${property.name}`
    if (message)
      errors.push({ field: `spec.properties[${index}].desired.value`, message: `${JSON.stringify(text)}: ${message}` })
  }
  return errors
}

export function modelErrors(model: DeviceModel): readonly FieldError[] {
  const properties = model.spec.properties ?? []
  const bounds = properties.flatMap((property, index) => boundErrors(property, `spec.properties[${index}]`))
  return [...duplicates(properties), ...bounds]
}

const NUMERIC: ReadonlySet<string> = new Set(['INT', 'FLOAT', 'DOUBLE'])

function boundErrors(
  { type = 'STRING', minimum = '', maximum = '' }: ModelProperty,
  path: string,
): readonly FieldError[] {
  if (!NUMERIC.has(type)) return []
  const errors: FieldError[] = []
  const low = boundOf(minimum)
  const high = boundOf(maximum)
  if (minimum !== '' && low === undefined) errors.push(notNumeric(`${path}.minimum`, minimum))
  if (maximum !== '' && high === undefined) errors.push(notNumeric(`${path}.maximum`, maximum))
  if (low !== undefined && high !== undefined && low > high) {
    errors.push({
      field: `${path}.minimum`,
      message: `${JSON.stringify(minimum)}: must not be greater than maximum ${maximum}`,
    })
  }
  return errors
}

function notNumeric(field: string, text: string): FieldError {
  return { field, message: `${JSON.stringify(text)}: must be a number` }
}

/** Bounds of an INT may have decimals; whole ones keep all their digits. */
function boundOf(text: string): number | bigint | undefined {
  if (text === '') return undefined
  for (const type of ['INT', 'DOUBLE'] as const) {
    const parsed = parseValue(type, text)
    if (parsed.ok && (typeof parsed.value === 'number' || typeof parsed.value === 'bigint')) return parsed.value
  }
  return undefined
}

function duplicates(properties: readonly { readonly name: string }[]): FieldError[] {
  const seen = new Set<string>()
  const errors: FieldError[] = []
  for (const [index, { name }] of properties.entries()) {
    if (seen.has(name)) {
      errors.push({ field: `spec.properties[${index}].name`, message: `${JSON.stringify(name)}: is a duplicate` })
    }
    seen.add(name)
  }
  return errors
}
