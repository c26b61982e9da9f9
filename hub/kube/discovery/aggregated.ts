import type { JsonObject } from '../../../schemas/index.ts'
import type { ResourceDefinition } from '../resource.ts'
import { definitionsOf, groupNames, versionsOf } from './groups.ts'
import { subresourcesOf, verbsOf } from './verbs.ts'

/** All kinds in one answer (`Accept: ...;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`) of `/api` or `/apis`. */
export function aggregatedDiscovery(definitions: readonly ResourceDefinition[], root: 'api' | 'apis'): JsonObject {
  const groups = root === 'api' ? [''] : groupNames(definitions)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
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
  return { metadata: group === '' ? {} : { name: group }, versions }
}

function resourceEntry(definition: ResourceDefinition): JsonObject {
  const { plural, singular, namespaced, shortNames, categories } = definition
  const subresources = subresourcesOf(definition).map((each) => {
    return { subresource: each.name, responseKind: responseKind(definition, each), verbs: each.verbs }
  })
  return {
    resource: plural,
    responseKind: responseKind(definition, definition),
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}

interface KindName {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Kinds of Kubernetes itself leave out what is that of the list that they stand in; custom ones say it all. */
function responseKind(owner: ResourceDefinition, { group, version, kind }: KindName): JsonObject {
  const isOwn = group === owner.group && version === owner.version
  return isOwn && !owner.custom ? { group: '', version: '', kind } : { group, version, kind }
}
