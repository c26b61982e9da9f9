import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { definitionsOf, groupNames, versionsOf } from './discovery.ts'
import { subresourcesOf, verbsOf } from './verbs.ts'

/** All kinds in one answer (`Accept: ...;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`) of `/api` or `/apis`. */
export function aggregatedDiscovery(
  definitions: readonly ResourceDefinition[],
  root: 'api' | 'apis',
  version: 'v2' | 'v2beta1',
): JsonObject {
  const groups = root === 'api' ? [''] : groupNames(definitions)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => groupEntry(definitions, group)),
  }
}

function groupEntry(definitions: readonly ResourceDefinition[], group: string): JsonObject {
  const versions = versionsOf(definitions, group).map((version) => ({
    version,
    resources: definitionsOf(definitions, group, version).map(resourceEntry),
    freshness: 'Current',
  }))
  return { metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null }, versions }
}

function resourceEntry(definition: ResourceDefinition): JsonObject {
  const { group, version, kind, plural, singular, namespaced, shortNames, categories } = definition
  const responseKind = { group, version, kind }
  const subresources = subresourcesOf(definition).map(({ name, verbs, ...of }) => {
    return { subresource: name, responseKind: of, verbs }
  })
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}
