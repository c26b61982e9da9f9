import type { ResourceDefinition } from '../resource.ts'
import { compareVersions } from './versions.ts'

/** Groups of Kubernetes itself stand first, in the order of their priority at an upstream server's aggregator. */
const BUILTIN_ORDER = [
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
]

/** Names of the served groups but the core one, in the order of aggregated discovery: custom ones by name. */
export function groupNames(definitions: readonly ResourceDefinition[]): readonly string[] {
  return sortedGroups(definitions, (group) => group)
}

/** The same in the order of `GET /apis`: custom ones by the name that an aggregator gives the first of their versions. */
export function groupNamesByService(definitions: readonly ResourceDefinition[]): readonly string[] {
  const serviceName = (group: string) => {
    const names = versionsOf(definitions, group).map((version) => `${version}.${group}`)
    return names.sort()[0] ?? group
  }
  return sortedGroups(definitions, serviceName)
}

/** Served versions of a group, the preferred one first: one with kinds of this server before those that have none. */
export function versionsOf(definitions: readonly ResourceDefinition[], group: string): readonly string[] {
  const members = definitions.filter((each) => each.group === group && isServed(each))
  const own = new Set(members.filter(isOwn).map(({ version }) => version))
  const order = (a: string, b: string) => Number(own.has(b)) - Number(own.has(a)) || compareVersions(a, b)
  return [...new Set(members.map(({ version }) => version))].sort(order)
}

/** Served kinds of one version, in the order of discovery. */
export function definitionsOf(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): readonly ResourceDefinition[] {
  return definitions
    .filter((each) => each.group === group && each.version === version && isServed(each))
    .sort((a, b) => (a.plural < b.plural ? -1 : 1))
}

function sortedGroups(definitions: readonly ResourceDefinition[], keyOf: (group: string) => string): readonly string[] {
  const served = definitions.filter(isServed)
  const names = new Set(served.map(({ group }) => group))
  names.delete('')
  const own = new Set(served.filter(isOwn).map(({ group }) => group))
  // A short name means the first kind that bears it.
  const rank = (group: string) => rankOf(group) + (own.has(group) ? 0 : BUILTIN_ORDER.length + 1)
  const entries = [...names].map((group) => ({ group, rank: rank(group), key: keyOf(group) }))
  return entries.sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1)).map(({ group }) => group)
}

function rankOf(group: string): number {
  const rank = BUILTIN_ORDER.indexOf(group)
  return rank < 0 ? BUILTIN_ORDER.length : rank
}

function isOwn({ elsewhere = false }: ResourceDefinition): boolean {
  return !elsewhere
}

function isServed(definition: ResourceDefinition): boolean {
  return definition.served !== false
}
