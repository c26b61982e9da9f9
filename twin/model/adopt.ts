import {
  type AssignedDevice,
  desiredPolicies,
  deviceIdOf,
  type MergedProperty,
  mergedProperties,
  parseValue,
  type Twin,
  type TwinProperty,
  timesToLive,
} from '../../schemas/index.ts'
import { withTimeToLive } from './age.ts'
import { withLabels } from './attributes.ts'
import { applyIntent, withdrawIntent } from './intent.ts'
import { means, propertyOf, REFUSED, refuseWish, settled, typeOf, withoutFailure } from './property.ts'

/**
 * The twin of a device as the cloud describes it now. Properties of the device are added, changed and taken away; those that
 * clients made stay. A changed desired value in the spec is a cloud intent; an unchanged one is not, however often it
 * arrives. Another uid is another device, whose revisions begin after `floor`. The same twin when nothing changes.
 */
export function adopt(before: Twin | undefined, assigned: AssignedDevice, now: number, floor = 0): Twin {
  const { device, model } = assigned
  const { uid = '', generation = 0, labels } = device.metadata
  const known = before?.uid === uid ? before : undefined
  const policyOf = desiredPolicies(device, model)
  const timeToLiveOf = timesToLive(device, model)
  const properties: [string, TwinProperty][] = []
  for (const [name, property] of Object.entries(known?.properties ?? {}))
    if (!property.declared) properties.push([name, property])
  for (const merged of mergedProperties(device, model)) {
    const { name } = merged.device
    const isModelled = model !== undefined
    const rules = applyRules(known && propertyOf(known, name), merged, isModelled)
    // Without its model what was last known holds on.
    const ruled = isModelled ? withTimeToLive(rules, timeToLiveOf(name), now) : rules
    const arrived = arrivedIn(assigned, name, ruled, wishOf(ruled, merged))
    const base = { uid, generation, arrivedAt: now, policy: policyOf(name) }
    const wished = arrived ? applyIntent(ruled, { ...base, ...arrived }) : withdrawIntent(ruled)
    properties.push([name, judge(wished, name, isModelled, now)])
  }
  const { attributes: said, ...rest } = known ?? { state: 'unknown' as const, revision: floor, attributes: undefined }
  const attributes = withLabels(said, labels)
  const next = {
    ...rest,
    id: deviceIdOf(device.metadata),
    uid,
    description: labels?.['description'] ?? '',
    generation,
    properties: Object.fromEntries(properties),
    ...(attributes ? { attributes } : {}),
  }
  return known && isSame(known, next) ? known : { ...next, revision: next.revision + 1 }
}

/** Type, bounds and access of the model; without a model those that were last known. */
function applyRules(old: TwinProperty | undefined, { model }: MergedProperty, isModelled: boolean): TwinProperty {
  if (!isModelled) return { type: 'string', writable: true, ...old, declared: true, optional: false }
  const modelType = model.type ?? 'STRING'
  const { unit: _unit, minimum: _low, maximum: _high, reported, ...rest } = old ?? {}
  const isStill = reported !== undefined && parseValue(modelType, reported.value).ok
  return {
    ...rest,
    type: modelType.toLowerCase(),
    modelType,
    ...(model.unit ? { unit: model.unit } : {}),
    ...(model.minimum ? { minimum: model.minimum } : {}),
    ...(model.maximum ? { maximum: model.maximum } : {}),
    declared: true,
    optional: false,
    writable: model.accessMode !== 'ReadOnly',
    ...(isStill ? { reported } : {}),
  }
}

/** Go clients write an absent desired value as an empty text, which means something for writable text only. */
function wishOf(property: TwinProperty, { device }: MergedProperty): string | undefined {
  const value = device.desired?.value
  if (value !== '') return value
  return typeOf(property) === 'STRING' && property.writable && property.modelType ? value : undefined
}

/** The value that the spec wants, and what the cloud says of it: nothing where it speaks of another value. */
function arrivedIn({ intents }: AssignedDevice, name: string, property: TwinProperty, value: string | undefined) {
  if (value === undefined) return undefined
  const given = intents && Object.hasOwn(intents, name) ? intents[name] : undefined
  const told = given && means(property, given.value, value) ? given : undefined
  return { name, value, told, ...(told ? { generation: told.generation } : {}) }
}

/** A desired value that the model forbids is a failure from the start; a model that has changed its mind clears it. */
function judge(property: TwinProperty, name: string, isModelled: boolean, now: number): TwinProperty {
  const { desired, failure } = property
  const refusal = desired && isModelled ? refuseWish(name, property, desired.value) : undefined
  if (desired && refusal !== undefined) {
    if (failure?.reason === REFUSED && failure.message === refusal && failure.value === desired.value) return property
    return { ...property, failure: { value: desired.value, reason: REFUSED, message: refusal, timestamp: now } }
  }
  return settled(failure?.reason === REFUSED && isModelled ? withoutFailure(property) : property)
}

function isSame(left: Twin, right: Twin): boolean {
  return JSON.stringify(ordered(left)) === JSON.stringify(ordered(right))
}

/** Order of keys must not make a difference. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([key, each]) => [key, ordered(each)])
    .sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))
}
