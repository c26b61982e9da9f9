import {
  type PropertyType,
  parseValue,
  refuseDesired,
  sameValue,
  type Twin,
  type TwinProperty,
} from '../../schemas/index.ts'

/** Types that a client may give to a property of its own, with the rules of the model's type that they follow. */
const FREE_TYPES: ReadonlyMap<string, PropertyType> = new Map([
  ['string', 'STRING'],
  ['int', 'INT'],
  ['integer', 'INT'],
  // KubeEdge's float has 64 bits; FLOAT is bound to 32 by a model only.
  ['float', 'DOUBLE'],
  ['double', 'DOUBLE'],
  ['boolean', 'BOOLEAN'],
  ['bytes', 'BYTES'],
  ['stream', 'STREAM'],
])

/** Undefined for a type that no client may give. */
export function freeType(type: string): PropertyType | undefined {
  return FREE_TYPES.get(type)
}

/** Own properties only: a device may call one `constructor`. */
export function propertyOf(twin: Twin, name: string): TwinProperty | undefined {
  return Object.hasOwn(twin.properties, name) ? twin.properties[name] : undefined
}

export function typeOf(property: TwinProperty): PropertyType {
  return property.modelType ?? freeType(property.type) ?? 'STRING'
}

export function means(property: TwinProperty, left: string, right: string): boolean {
  return sameValue(typeOf(property), left, right)
}

/** The device has said the desired value. */
export function isFulfilled(property: TwinProperty): boolean {
  const { desired, reported } = property
  return desired !== undefined && reported !== undefined && means(property, reported.value, desired.value)
}

/** Why this can never be a value of the property, or nothing. */
export function refuseValue(property: TwinProperty, text: string): string | undefined {
  const parsed = parseValue(typeOf(property), text)
  return parsed.ok ? undefined : `${parsed.reason} (type ${property.type})`
}

/** Why this can never be desired of the property, or nothing. */
export function refuseWish(name: string, property: TwinProperty, text: string): string | undefined {
  const { modelType, writable, minimum, maximum } = property
  if (modelType === undefined) return writable ? refuseValue(property, text) : `property ${name} cannot be written`
  return refuseDesired(
    {
      name,
      type: modelType,
      accessMode: writable ? 'ReadWrite' : 'ReadOnly',
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
    },
    text,
  )
}

/** Without its failure, where the device has the desired value now. */
export function settled(property: TwinProperty): TwinProperty {
  return property.failure && isFulfilled(property) && property.failure.reason !== REFUSED
    ? withoutFailure(property)
    : property
}

export function withoutFailure({ failure: _, ...property }: TwinProperty): TwinProperty {
  return property
}

/** Reason of a failure that no try can mend: the model forbids the value. */
export const REFUSED = 'Refused'

/** The twin with these properties instead, one revision on; the same twin when there are none. Undefined removes. */
export function withProperties(twin: Twin, changed: ReadonlyMap<string, TwinProperty | undefined>): Twin {
  if (changed.size === 0) return twin
  const properties: Record<string, TwinProperty> = { ...twin.properties }
  for (const [name, property] of changed) {
    if (property) properties[name] = property
    else delete properties[name]
  }
  return { ...twin, properties, revision: twin.revision + 1 }
}
