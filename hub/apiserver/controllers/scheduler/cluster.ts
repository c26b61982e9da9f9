import type { Quantity } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { type Amounts, type PodNeeds, podNeeds, roomOf } from './pod-needs.ts'

/** A pod as far as the room that it takes counts. */
export interface Guest {
  readonly needs: PodNeeds
  /** Uid of its controller; empty for a pod that has none. */
  readonly owner: string
}

/** A node with what its pods take of it. */
export interface Host {
  readonly node: ApiObject
  /** Undefined: it does not say what it has. */
  readonly room: Amounts | undefined
  readonly used: Amounts
  readonly guests: ReadonlyMap<string, Guest>
}

interface Load {
  readonly used: Map<string, Quantity>
  readonly guests: Map<string, Guest>
}

/** Nodes, and what is used of each: follows the changes of nodes and pods one by one. */
export class Cluster {
  readonly #nodes = new Map<string, { readonly node: ApiObject; readonly room: Amounts | undefined }>()
  readonly #loads = new Map<string, Load>()
  /** By key of the pod: its node. */
  readonly #places = new Map<string, string>()

  noteNode(name: string, node: ApiObject | undefined): void {
    if (node) this.#nodes.set(name, { node, room: roomOf(node) })
    else this.#nodes.delete(name)
  }

  /** A pod that ended takes nothing any more. True where it took something before, and now does not. */
  notePod(key: string, pod: ApiObject | undefined): boolean {
    const before = this.#places.get(key)
    const after = pod && isRunning(pod) ? textAt(objectAt(pod, 'spec'), 'nodeName') : ''
    if (before !== undefined) this.#leave(before, key)
    if (pod && after !== '') this.#enter(after, key, { needs: podNeeds(pod), owner: ownerOf(pod) })
    return before !== undefined && after === ''
  }

  /** In order of their names. */
  hosts(): readonly Host[] {
    return [...this.#nodes]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, offer]) => ({ ...offer, ...this.#load(name) }))
  }

  #load(name: string): Load {
    return this.#loads.get(name) ?? { used: new Map(), guests: new Map() }
  }

  #enter(name: string, key: string, guest: Guest): void {
    const load = this.#load(name)
    this.#loads.set(name, load)
    this.#places.set(key, name)
    load.guests.set(key, guest)
    for (const [what, amount] of guest.needs.requests) load.used.set(what, (load.used.get(what) ?? 0n) + amount)
  }

  #leave(name: string, key: string): void {
    const load = this.#load(name)
    const guest = load.guests.get(key)
    load.guests.delete(key)
    this.#places.delete(key)
    for (const [what, amount] of guest?.needs.requests ?? []) load.used.set(what, (load.used.get(what) ?? 0n) - amount)
    if (load.guests.size === 0) this.#loads.delete(name)
  }
}

/** Uid of the controller of an object; empty for one that has none. */
export function ownerOf(object: ApiObject): string {
  const owners = arrayAt(object.metadata, 'ownerReferences').filter(isJsonObject)
  return textAt(owners.find((each) => each['controller'] === true) ?? {}, 'uid')
}

function isRunning(pod: ApiObject): boolean {
  const phase = textAt(objectAt(pod, 'status'), 'phase')
  return phase !== 'Succeeded' && phase !== 'Failed'
}
