import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { definitionsOf, groupNamesByService, versionsOf } from './groups.ts'
import { storageHashOf } from './storage-hash.ts'
import { subresourcesOf, verbsOf } from './verbs.ts'

/** `GET /api`. `address` is host:port as clients reach this server. */
export function coreVersions(address: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  }
}

/** `GET /apis`. */
export function groupList(definitions: readonly ResourceDefinition[]): JsonObject {
  const groups = groupNamesByService(definitions).map((group) => groupEntry(definitions, group))
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

/** `GET /apis/<group>`; nothing for a group that is not served. */
export function groupOf(definitions: readonly ResourceDefinition[], group: string): JsonObject | undefined {
  if (group === '' || versionsOf(definitions, group).length === 0) return undefined
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(definitions, group) }
}

/** `GET /api/v1` and `/apis/<group>/<version>`; nothing for a version that is not served. */
export function resourceList(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): JsonObject | undefined {
  const members = definitionsOf(definitions, group, version)
  if (members.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    // The list of the core group is older than its apiVersion.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersion(group, version),
    resources: members.flatMap((each) => resourceEntries(definitions, each)),
  }
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

function groupEntry(definitions: readonly ResourceDefinition[], group: string): JsonObject {
  const versions = versionsOf(definitions, group).map((version) => ({
    groupVersion: groupVersion(group, version),
    version,
  }))
  const [preferredVersion] = versions
  return { name: group, versions, ...(preferredVersion ? { preferredVersion } : {}) }
}

function resourceEntries(
  definitions: readonly ResourceDefinition[],
  definition: ResourceDefinition,
): readonly JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = definition
  const main: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...storageHashOf(definitions, definition),
  }
  const below = subresourcesOf(definition).map((each) => {
    // Only what is of another group says so.
    const isOwn = each.group === definition.group && each.version === definition.version
    const of = isOwn ? { kind: each.kind } : { group: each.group, version: each.version, kind: each.kind }
    return { name: `${plural}/${each.name}`, singularName: '', namespaced, ...of, verbs: each.verbs }
  })
  return [main, ...below]
}
