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
      : { conditions: [], acceptedNames: { kind: '', plural: '' }, storedVersions: storedAtFirst(crd) },
  }
}

function storedAtFirst(crd: ApiObject): readonly string[] {
  const storage = storageVersionOf(crd)
  return storage === '' ? [] : [storage]
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
    acceptedNames: acceptedNames(crd, conflict.taken),
    storedVersions: at(crd, 'status', 'storedVersions') ?? [],
  }
}

export interface NameConflict {
  readonly reason: string
  readonly message: string
  /** Names of the CRD that somebody else goes by. */
  readonly taken: readonly NameKey[]
}

type NameKey = 'plural' | 'singular' | 'shortNames' | 'kind' | 'listKind'
const REASONS: Readonly<Record<NameKey, string>> = {
  plural: 'PluralConflict',
  singular: 'SingularConflict',
  shortNames: 'ShortNamesConflict',
  kind: 'KindConflict',
  listKind: 'ListKindConflict',
}

/**
 * Whether another definition of the same group already goes by names of this CRD; the last of them is told. A kind of Kubernetes'
 * own is another one also where the plural is the same: its objects are trusted, and made by its own rules alone.
 */
export function nameConflict(crd: ApiObject, others: readonly ResourceDefinition[]): NameConflict | undefined {
  const [own] = definitionsOfCrd(crd)
  if (!own) return undefined
  const rivals = others.filter((each) => each.group === own.group && (each.plural !== own.plural || !each.custom))
  const names = new Set(rivals.flatMap((each) => [each.plural, each.singular, ...each.shortNames]))
  const kinds = new Set(rivals.flatMap((each) => [each.kind, each.listKind]))
  const found: readonly (readonly [NameKey, string | undefined])[] = [
    ['plural', names.has(own.plural) ? own.plural : undefined],
    ['singular', names.has(own.singular) ? own.singular : undefined],
    ['shortNames', own.shortNames.findLast((name) => names.has(name))],
    ['kind', kinds.has(own.kind) ? own.kind : undefined],
    ['listKind', kinds.has(own.listKind) ? own.listKind : undefined],
  ]
  const taken = found.filter(([, name]) => name !== undefined)
  const [key, name] = taken.at(-1) ?? []
  if (key === undefined || name === undefined) return undefined
  return { reason: REASONS[key], message: `"${name}" is already in use`, taken: taken.map(([each]) => each) }
}

/** What is free is accepted; what is taken stays as it was accepted before. */
function acceptedNames(crd: ApiObject, taken: readonly NameKey[]): JsonObject {
  const names = at(crd, 'spec', 'names')
  const before = at(crd, 'status', 'acceptedNames')
  const accepted: Record<string, Json> = { kind: '', plural: '', ...(isJsonObject(before) ? before : {}) }
  for (const key of ['plural', 'singular', 'shortNames', 'kind', 'listKind'] as const) {
    const name = at(names, key)
    if (name !== undefined && !taken.includes(key)) accepted[key] = name
  }
  return accepted
}

/** The time of the last transition stays while the status of the condition does. */
function condition(crd: ApiObject, now: string, type: string, status: string, reason: string, message: string): Json {
  const old = at(crd, 'status', 'conditions')
  const before = isJsonArray(old) ? old.find((each) => at(each, 'type') === type) : undefined
  const since = at(before, 'status') === status ? at(before, 'lastTransitionTime') : undefined
  return { type, status, lastTransitionTime: since ?? now, reason, message }
}
