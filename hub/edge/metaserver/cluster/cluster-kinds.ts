import type { JsonObject } from '../../../../schemas/index.ts'
import { readAggregated, type ToldKinds, withElsewhere } from '../../../kube/discovery/index.ts'
import type { ResourceDefinition } from '../../../kube/resource.ts'
import type { ServedKinds } from '../../../serving/objects/registry.ts'

export const DISCOVERY_PATHS = ['/api', '/apis'] as const
/** Of each of the two lists. A cluster with all of a large cloud provider's kinds has two thousand. */
const MOST_KINDS = 5000

/** The kinds of this node, and behind them those of the cluster, to which it passes requests on. */
export class ClusterKinds implements ServedKinds {
  readonly #own: ServedKinds
  readonly #told = new Map<string, ToldKinds>()
  #changes = 0
  #merged: { readonly revision: number; readonly all: readonly ResourceDefinition[]; readonly known: Known } | undefined

  constructor(own: ServedKinds) {
    this.#own = own
  }

  get revision(): number {
    return this.#own.revision + this.#changes
  }

  get definitions(): readonly ResourceDefinition[] {
    return this.#now().all
  }

  /** How many are the cluster's alone. */
  get elsewhere(): number {
    return this.#now().known.resources.size
  }

  /** What the cluster told, and is not shown: it has no proper name, or there is no room. */
  get left(): number {
    return [...this.#told.values()].reduce((sum, { left }) => sum + left, 0)
  }

  /** Takes an APIGroupDiscoveryList of `/api` or `/apis`; false for what is none. */
  take(path: string, list: JsonObject): boolean {
    const read = readAggregated(list, path === '/api' ? 'api' : 'apis', MOST_KINDS)
    if (!read) return false
    this.#told.set(path, read)
    this.#changes++
    return true
  }

  /** Whether the cluster told of it, and this node has no such kind. */
  isElsewhere(group: string, version: string, plural: string): boolean {
    return this.#now().known.resources.has(`${group}/${version}/${plural}`)
  }

  /** Whether a version (`api/v1`, `apis/apps/v1`) has such kinds. */
  hasElsewhere(path: string): boolean {
    return this.#now().known.versions.has(path)
  }

  #now() {
    const { revision } = this
    if (this.#merged?.revision !== revision) {
      const all = withElsewhere(
        this.#own.definitions,
        [...this.#told.values()].flatMap(({ definitions }) => definitions),
      )
      this.#merged = { revision, all, known: knownOf(all) }
    }
    return this.#merged
  }
}

interface Known {
  readonly resources: ReadonlySet<string>
  readonly versions: ReadonlySet<string>
}

function knownOf(definitions: readonly ResourceDefinition[]): Known {
  const elsewhere = definitions.filter((each) => each.elsewhere)
  return {
    resources: new Set(elsewhere.map(({ group, version, plural }) => `${group}/${version}/${plural}`)),
    versions: new Set(
      elsewhere.map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
    ),
  }
}
