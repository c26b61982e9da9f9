import { nearest } from '../../../platform/config/index.ts'
import { type AssignedDevice, type JsonObject, mergedProperties, mergedProtocolConfig } from '../../../schemas/index.ts'

/** What a mapper knows of configurations, as JSON Schemas. */
export interface ConfigSchemas {
  readonly deviceSchema: object
  readonly visitorSchema: object
}

export interface UnknownKey {
  readonly pointer: string
  readonly reason: string
}

/** Keys of a device's configurations that its mapper ignores. An edge says nothing of them: manifests may serve several mappers. */
export function unknownKeys(
  { deviceSchema, visitorSchema }: ConfigSchemas,
  assigned: AssignedDevice,
): readonly UnknownKey[] {
  const { device, model } = assigned
  const config = mergedProtocolConfig(device, model)
  const ofDevice = unknownIn(config, deviceSchema, '/spec/protocol/configData')
  const ofVisitors = mergedProperties(device, model).flatMap(({ visitor }, index) =>
    unknownIn(visitor, visitorSchema, `/spec/properties/${index}/visitors/configData`),
  )
  return [...ofDevice, ...ofVisitors]
}

function unknownIn(config: JsonObject, schema: object, at: string): readonly UnknownKey[] {
  const properties = Object.entries(Object('properties' in schema ? schema.properties : {}))
  const keys = properties.map(([key]) => key)
  const known = new Set([...keys, ...properties.flatMap(([, part]) => aliasesOf(part))].map((key) => key.toLowerCase()))
  return Object.keys(config)
    .filter((key) => !known.has(key.toLowerCase()))
    .map((key) => {
      const guess = nearest(key, keys)
      const hint = guess === undefined ? `it has: ${keys.join(', ')}` : `did you mean ${guess}?`
      return { pointer: `${at}/${key}`, reason: `is no key of this mapper and is ignored; ${hint}` }
    })
}

function aliasesOf(part: unknown): readonly string[] {
  const aliases: unknown = Object(part)['x-aliases']
  return Array.isArray(aliases) ? aliases.map(String) : []
}
