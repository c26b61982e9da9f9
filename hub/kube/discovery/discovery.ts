import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { subresourcesOf, verbsOf } from './verbs.ts'
import { compareVersions } from './versions.ts'

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
  const groups = groupNames(definitions).map((group) => groupEntry(definitions, group))
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
    apiVersion: 'v1',
    groupVersion: groupVersion(group, version),
    resources: members.flatMap(resourceEntries),
  }
}

/** Names of the served groups but the core one, in the order of discovery. */
export function groupNames(definitions: readonly ResourceDefinition[]): readonly string[] {
  const names = new Set(definitions.filter(isServed).map(({ group }) => group))
  names.delete('')
  return [...names].sort()
}

/** Served versions of a group, the preferred one first. */
export function versionsOf(definitions: readonly ResourceDefinition[], group: string): readonly string[] {
  const members = definitions.filter((each) => each.group === group && isServed(each))
  return [...new Set(members.map(({ version }) => version))].sort(compareVersions)
}

/** Served kinds of one version, in the order of discovery. */
export function definitionsOf(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): readonly ResourceDefinition[] {
  return definitions
    .filter((each) => each.group === group && each.version === version && isServed(each))
    .sort((a, b) => a.plural.localeCompare(b.plural))
}

export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

function isServed(definition: ResourceDefinition): boolean {
  return definition.served !== false
}

function groupEntry(definitions: readonly ResourceDefinition[], group: string): JsonObject {
  const versions = versionsOf(definitions, group).map((version) => ({
    groupVersion: groupVersion(group, version),
    version,
  }))
  const [preferredVersion] = versions
  return { name: group, versions, ...(preferredVersion ? { preferredVersion } : {}) }
}

function resourceEntries(definition: ResourceDefinition): readonly JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = definition
  const main: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  }
  const below = subresourcesOf(definition).map((each) => {
    // Only what is of another group says so.
    const isOwn = each.group === definition.group && each.version === definition.version
    const of = isOwn ? { kind: each.kind } : { group: each.group, version: each.version, kind: each.kind }
    return { name: `${plural}/${each.name}`, singularName: '', namespaced, ...of, verbs: each.verbs }
  })
  return [main, ...below]
}
