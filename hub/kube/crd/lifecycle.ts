import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { definitionsOfCrd, storageVersionOf } from './definitions.ts'

/** Fills in what a CustomResourceDefinition may leave out: names derived from the kind, no conversion, an empty status. */
export function prepareCrd(crd: ApiObject): ApiObject {
  const spec = at(crd, 'spec')
  const names = at(spec, 'names')
  if (!isJsonObject(spec) || !isJsonObject(names)) return crd
  const kind = typeof names['kind'] === 'string' ? names['kind'] : ''
  const derived = kind === '' ? {} : { singular: kind.toLowerCase(), listKind: `${kind}List` }
  const status = at(crd, 'status')
  return {
    ...crd,
    spec: { ...spec, names: { ...derived, ...names }, conversion: spec['conversion'] ?? { strategy: 'None' } },
    status: isJsonObject(status)
      ? status
      : { conditions: [], acceptedNames: { kind: '', plural: '' }, storedVersions: [] },
  }
}

/** Status of a CRD whose kinds are served from now on. `now`: RFC 3339, whole seconds. Equal where nothing changed. */
export function establishedStatus(crd: ApiObject, now: string): JsonObject {
  const conditions = [
    condition(crd, now, 'NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'),
    condition(crd, now, 'Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted'),
  ]
  const stored = at(crd, 'status', 'storedVersions')
  const storage = storageVersionOf(crd)
  const before = isJsonArray(stored) ? stored : []
  return {
    conditions,
    acceptedNames: at(crd, 'spec', 'names') ?? {},
    storedVersions: before.includes(storage) ? before : [...before, storage],
  }
}

/** Status of a CRD whose names another one holds. */
export function conflictingStatus(crd: ApiObject, now: string, conflict: NameConflict): JsonObject {
  const { reason, message } = conflict
  return {
    conditions: [
      condition(crd, now, 'NamesAccepted', 'False', reason, message),
      condition(crd, now, 'Established', 'False', 'NotAccepted', 'not all names are accepted'),
    ],
    acceptedNames: at(crd, 'status', 'acceptedNames') ?? { kind: '', plural: '' },
    storedVersions: at(crd, 'status', 'storedVersions') ?? [],
  }
}

export interface NameConflict {
  readonly reason: string
  readonly message: string
}

/** Whether another definition of the same group already goes by one of the names of this CRD. */
export function nameConflict(crd: ApiObject, others: readonly ResourceDefinition[]): NameConflict | undefined {
  const [own] = definitionsOfCrd(crd)
  if (!own) return undefined
  const rivals = others.filter((each) => each.group === own.group && each.plural !== own.plural)
  const taken = new Set(rivals.flatMap((each) => [each.plural, each.singular, ...each.shortNames]))
  const kinds = new Set(rivals.flatMap((each) => [each.kind, each.listKind]))
  const conflict = (what: string, name: string) => ({
    reason: `${what}Conflict`,
    message: `"${name}" is already in use`,
  })
  if (taken.has(own.plural)) return conflict('Plural', own.plural)
  if (taken.has(own.singular)) return conflict('Singular', own.singular)
  const short = own.shortNames.find((name) => taken.has(name))
  if (short !== undefined) return conflict('ShortNames', short)
  if (kinds.has(own.kind)) return conflict('Kind', own.kind)
  return kinds.has(own.listKind) ? conflict('ListKind', own.listKind) : undefined
}

/** The time of the last transition stays while the status of the condition does. */
function condition(crd: ApiObject, now: string, type: string, status: string, reason: string, message: string): Json {
  const old = at(crd, 'status', 'conditions')
  const before = isJsonArray(old) ? old.find((each) => at(each, 'type') === type) : undefined
  const since = at(before, 'status') === status ? at(before, 'lastTransitionTime') : undefined
  return { type, status, lastTransitionTime: since ?? now, reason, message }
}
