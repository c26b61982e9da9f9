import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'

/** What a field of core/v1 Event is called in events.k8s.io/v1. */
const NAMES: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
}
const BACK: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(NAMES).map(([a, b]) => [b, a]))

/** The object in the form of another built-in definition of the same kind. Only events have two forms. */
export function convertBuiltin({ group, version, kind }: ResourceDefinition, object: ApiObject): ApiObject {
  const apiVersion = group === '' ? version : `${group}/${version}`
  if (kind !== 'Event' || object.apiVersion === apiVersion) return object
  const names = group === 'events.k8s.io' ? NAMES : BACK
  const { apiVersion: _, kind: __, metadata, ...body } = object
  const entries = Object.entries(body).map(([key, value]): readonly [string, Json] => [names[key] ?? key, value])
  const renamed: JsonObject = Object.fromEntries(entries)
  return { ...renamed, apiVersion, kind, metadata }
}
