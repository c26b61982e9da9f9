import { ownersOf, sameJson, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { Change } from '../../kube/watch/index.ts'

/** Where an object is: what it is stored as, and its key there. */
export interface Place {
  readonly resource: string
  readonly key: string
}

/** Which objects name which owners, by uid. */
export class OwnerIndex {
  readonly #dependents = new Map<string, Map<string, Place>>()
  readonly #objects = new Map<string, Place>()

  add(resource: string, key: string, object: ApiObject): void {
    this.#objects.set(uidOf(object), { resource, key })
    for (const { uid } of ownersOf(object)) {
      const places = this.#dependents.get(uid) ?? new Map<string, Place>()
      places.set(placeText({ resource, key }), { resource, key })
      this.#dependents.set(uid, places)
    }
  }

  apply(resource: string, { key, before, after }: Change): void {
    if (before && after && hasSameOwners(before, after)) return
    if (before) this.#remove(resource, key, before)
    if (after) this.add(resource, key, after)
  }

  placeOf(uid: string): Place | undefined {
    return this.#objects.get(uid)
  }

  dependentsOf(uid: string): readonly Place[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])]
  }

  #remove(resource: string, key: string, object: ApiObject): void {
    this.#objects.delete(uidOf(object))
    for (const { uid } of ownersOf(object)) {
      const places = this.#dependents.get(uid)
      places?.delete(placeText({ resource, key }))
      if (places?.size === 0) this.#dependents.delete(uid)
    }
  }
}

/** Two states of one object under one name. */
export function hasSameOwners(before: ApiObject, after: ApiObject): boolean {
  const owners = ({ metadata }: ApiObject) => metadata['ownerReferences']
  return uidOf(before) === uidOf(after) && sameJson(owners(before), owners(after))
}

/** For a work queue; `parsePlace` is its inverse. No resource contains a space; a name may (roles have any). */
export function placeText({ resource, key }: Place): string {
  return `${resource} ${key}`
}

export function parsePlace(text: string): Place {
  const end = text.indexOf(' ')
  return { resource: text.slice(0, end), key: text.slice(end + 1) }
}
