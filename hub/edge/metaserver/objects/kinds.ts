import { crds } from '../../../../schemas/crd/index.ts'
import { BUILTIN_DEFINITIONS } from '../../../kube/builtin/index.ts'
import { definitionsOfCrd } from '../../../kube/crd/index.ts'
import type { ApiObject, ResourceDefinition } from '../../../kube/resource.ts'
import { Registry } from '../../../serving/objects/registry.ts'

/** The kinds that MetaServer knows, and how they are called on the wire to the cloud. */
export interface Kinds {
  readonly registry: Registry
  /** By the type in a resource on the wire: `configmap`, of KubeEdge's dynamic watches also `configmaps`. */
  ofType(type: string): ResourceDefinition | undefined
  /** Of an object of a kind that nothing here declares: its definition, from now on served. */
  learn(type: string, object: ApiObject): ResourceDefinition
}

/** What the cloud alone has to do with. */
const HIDDEN: ReadonlySet<string> = new Set(['reliablesyncs.kubeedge.io'])

/** Kubernetes' own kinds and those of devices and rules, each custom one in the version that is stored: nothing converts here. */
export function createKinds(): Kinds {
  const custom = crds.flatMap(definitionsOfCrd).filter(({ group, storage }) => storage && !HIDDEN.has(group))
  const registry = new Registry([...BUILTIN_DEFINITIONS, ...custom])
  const byType = new Map<string, ResourceDefinition>()
  for (const definition of registry.definitions) {
    if (!definition.storage) continue
    for (const type of [definition.kind.toLowerCase(), definition.plural]) {
      if (!byType.has(type)) byType.set(type, definition)
    }
  }
  return {
    registry,
    ofType: (type) => byType.get(type),
    learn(type, object) {
      const known = registry.findKind(object.apiVersion, object.kind)
      if (known) return known
      const made = undeclared(object, type.endsWith('s') ? type : `${type}s`)
      registry.setCustom(`${made.plural}.${made.group}`, [made])
      return made
    },
  }
}

/** A kind of which nothing is known but its name. */
export function undeclared(
  { apiVersion, kind, metadata }: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>,
  plural: string,
): ResourceDefinition {
  const slash = apiVersion.lastIndexOf('/')
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    listKind: `${kind}List`,
    ...{ plural, singular: kind.toLowerCase(), shortNames: [], categories: [] },
    namespaced: metadata['namespace'] !== undefined,
    ...{ storage: true, custom: true, statusSubresource: true, schema: undefined },
    printerColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
  }
}
