import { convertBuiltin } from '../../kube/builtin/index.ts'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'

/** `devices.kubeedge.io/v1beta1`, `v1`. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`
}

/** Under which name the objects of a kind are stored, whatever their version: `devices.kubeedge.io/devices`, `/pods`. */
export function resourceOf({ group, plural }: { readonly group: string; readonly plural: string }): string {
  // Events are the same objects in both of their groups.
  return group === 'events.k8s.io' && plural === 'events' ? '/events' : `${group}/${plural}`
}

export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** Where upstream keeps objects of these kinds. */
const PLACES: Readonly<Record<string, string>> = {
  '/nodes': 'minions',
  '/services': 'services/specs',
  '/endpoints': 'services/endpoints',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
}

/** Under which key upstream stores an object: some errors tell it. */
export function registryKey(definition: ResourceDefinition, object: ApiObject): string {
  const { group, plural, custom } = definition
  const place = custom ? `${group}/${plural}` : (PLACES[resourceOf(definition)] ?? plural)
  return ['/registry', place, namespaceOf(object), nameOf(object)].filter((part) => part !== '').join('/')
}

/**
 * The same object as another version of its kind shows it, where no webhook converts it. Versions of a custom kind differ in their
 * apiVersion alone then (conversion strategy None).
 */
export function inVersion(object: ApiObject, definition: ResourceDefinition): ApiObject {
  const apiVersion = apiVersionOf(definition)
  if (object.apiVersion === apiVersion) return object
  return definition.custom ? { ...object, apiVersion } : convertBuiltin(definition, object)
}

/** The kinds that are served just now. */
export interface ServedKinds {
  readonly definitions: readonly ResourceDefinition[]
  /** Grows with each change of `definitions`. */
  readonly revision: number
}

/** Kinds that may come and go. */
export class Registry implements ServedKinds {
  readonly #builtin: readonly ResourceDefinition[]
  readonly #custom = new Map<string, readonly ResourceDefinition[]>()
  #all: readonly ResourceDefinition[]
  #revision = 0

  constructor(builtin: readonly ResourceDefinition[]) {
    this.#builtin = builtin
    this.#all = builtin
  }

  get revision(): number {
    return this.#revision
  }

  get definitions(): readonly ResourceDefinition[] {
    return this.#all
  }

  /** What one CustomResourceDefinition declares; an empty list ends it. */
  setCustom(name: string, definitions: readonly ResourceDefinition[]): void {
    if (definitions.length > 0) this.#custom.set(name, definitions)
    else this.#custom.delete(name)
    this.#all = [...this.#builtin, ...[...this.#custom.values()].flat()]
    this.#revision++
  }

  /** A version that is served. */
  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#all.find(
      (item) => item.group === group && item.version === version && item.plural === plural && item.served !== false,
    )
  }

  /** Which version of a kind is stored. */
  stored(resource: string): ResourceDefinition | undefined {
    return this.#all.find((item) => item.storage && resourceOf(item) === resource)
  }

  findKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    return this.#all.find((item) => item.kind === kind && apiVersionOf(item) === apiVersion)
  }
}
