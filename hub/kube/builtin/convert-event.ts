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

/** Fields that are left out of events.k8s.io/v1 where they are empty; the others are there. */
const LEFT_OUT: ReadonlySet<string> = new Set(['reportingController', 'reportingInstance', 'deprecatedCount'])

/** The object in the form of another built-in definition of the same kind. Only events have two forms. */
export function convertBuiltin({ group, version, kind }: ResourceDefinition, object: ApiObject): ApiObject {
  const apiVersion = group === '' ? version : `${group}/${version}`
  if (kind !== 'Event' || object.apiVersion === apiVersion) return object
  const { metadata } = object
  if (group !== 'events.k8s.io') return { ...inCoreForm(object), apiVersion, kind, metadata }
  const entries = entriesOf(object, NAMES).filter(([key, value]) => value !== '' || !LEFT_OUT.has(key))
  return { ...Object.fromEntries(entries), apiVersion, kind, metadata }
}

/** The fields of an Event of any form, as core/v1 calls them. */
export function inCoreForm(event: ApiObject): ApiObject {
  const { apiVersion, kind, metadata } = event
  return {
    ...ABSENT,
    ...Object.fromEntries(entriesOf(event, BACK).filter(([, value]) => value !== null)),
    apiVersion,
    kind,
    metadata,
  }
}

/** What an Event of core/v1 says where its form of events.k8s.io/v1 says nothing. */
const ABSENT: JsonObject = {
  ...{ eventTime: null, firstTimestamp: null, lastTimestamp: null },
  ...{ reportingComponent: '', reportingInstance: '', source: {} },
}

function entriesOf(event: ApiObject, names: Readonly<Record<string, string>>): readonly (readonly [string, Json])[] {
  return Object.entries(event).map(([key, value]) => [names[key] ?? key, value])
}
