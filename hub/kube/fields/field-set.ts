import { compareElements, type FieldPath, type PathElement } from './path-element.ts'

/** A set of fields as a tree of steps. Never changed after it was handed out; a node without members does not occur. */
export type FieldSet = ReadonlyMap<PathElement, FieldNode>

export interface FieldNode {
  /** The field itself is in the set; what is below it is so only by its own nodes. */
  readonly isMember: boolean
  readonly below: FieldSet
}

export const EMPTY: FieldSet = new Map()

const LEAF: FieldNode = { isMember: true, below: EMPTY }

export function isEmpty(set: FieldSet): boolean {
  return set.size === 0
}

export function setOf(...paths: readonly FieldPath[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, single(path)), EMPTY)
}

/** One node of a set under construction; undefined when it holds nothing. */
export function node(isMember: boolean, below: FieldSet): FieldNode | undefined {
  if (below.size > 0) return { isMember, below }
  return isMember ? LEAF : undefined
}

export function has(set: FieldSet, [first, ...rest]: FieldPath): boolean {
  const found = first === undefined ? undefined : set.get(first)
  if (!found) return false
  return rest.length === 0 ? found.isMember : has(found.below, rest)
}

/** Each field of either. Gives back `one` itself where `other` adds nothing. */
export function union(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other || other.size === 0) return one
  if (one.size === 0) return other
  const result = new Map(one)
  let isSame = true
  for (const [element, added] of other) {
    const present = one.get(element)
    const below = present ? union(present.below, added.below) : added.below
    const isMember = added.isMember || present?.isMember === true
    if (present && below === present.below && isMember === present.isMember) continue
    isSame = false
    result.set(element, present ? { isMember, below } : added)
  }
  return isSame ? one : result
}

/** Each field of both. */
export function intersection(one: FieldSet, other: FieldSet): FieldSet {
  if (one === other) return one
  return combined(one, (element, here) => {
    const there = other.get(element)
    return there && node(here.isMember && there.isMember, intersection(here.below, there.below))
  })
}

/** Each field of `one` that is not in `other`: a field stays when only what is below it goes, and the other way round. */
export function difference(one: FieldSet, other: FieldSet): FieldSet {
  if (other.size === 0) return one
  return combined(one, (element, here) => {
    const there = other.get(element)
    return there ? node(here.isMember && !there.isMember, difference(here.below, there.below)) : here
  })
}

/** Each field of `one` that neither is in `other` nor below one of it. */
export function without(one: FieldSet, other: FieldSet): FieldSet {
  if (other.size === 0) return one
  return combined(one, (element, here) => {
    const there = other.get(element)
    if (!there) return here
    return there.isMember ? undefined : node(here.isMember, without(here.below, there.below))
  })
}

/** All fields in order: those of a level first, then those below them. */
export function pathsOf(set: FieldSet, prefix: FieldPath = []): readonly FieldPath[] {
  const elements = [...set.keys()].sort(compareElements)
  const own = elements.filter((element) => set.get(element)?.isMember).map((element) => [...prefix, element])
  return [...own, ...elements.flatMap((element) => pathsOf(set.get(element)?.below ?? EMPTY, [...prefix, element]))]
}

export function sameSet(one: FieldSet, other: FieldSet): boolean {
  if (one === other) return true
  if (one.size !== other.size) return false
  for (const [element, here] of one) {
    const there = other.get(element)
    if (!there || there.isMember !== here.isMember || !sameSet(here.below, there.below)) return false
  }
  return true
}

function single([first, ...rest]: FieldPath): FieldSet {
  if (first === undefined) return EMPTY
  return new Map([[first, rest.length === 0 ? LEAF : { isMember: false, below: single(rest) }]])
}

/** The set with each node made anew; the very same set where no node changed. */
function combined(set: FieldSet, change: (element: PathElement, node: FieldNode) => FieldNode | undefined): FieldSet {
  const result = new Map<PathElement, FieldNode>()
  let isSame = true
  for (const [element, here] of set) {
    const next = change(element, here)
    const kept = next && next.isMember === here.isMember && next.below === here.below ? here : next
    if (kept) result.set(element, kept)
    if (kept !== here) isSame = false
  }
  return isSame ? set : result
}
