import type { Json } from '../../../schemas/index.ts'

/**
 * Kubernetes itself stops at 10,000. Code that walks objects recursively has to stay well below the end of the stack: what happens
 * there need not be an error that somebody can catch.
 */
export const DEEPEST = 500
/** Keys and values of one object. One of the size that Kubernetes stores has less, unless it is made to keep a server busy. */
export const MOST_VALUES = 100_000

/** How deep a value is nested, no further than one level more than asked about; Infinity for one of more values. */
export function depthOf(value: Json, most = DEEPEST, mostValues = MOST_VALUES): number {
  let level: readonly Json[] = [value]
  let count = 0
  for (let depth = 0; ; depth++) {
    if (depth > most) return depth
    const below: Json[] = []
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue
      for (const member of Object.values(item)) below.push(member)
      if (count + below.length > mostValues) return Number.POSITIVE_INFINITY
    }
    if (below.length === 0) return depth
    count += below.length
    level = below
  }
}

/** Why a value is none that an object may be made of; undefined for one that may. */
export function excessOf(value: Json): string | undefined {
  const depth = depthOf(value)
  if (depth === Number.POSITIVE_INFINITY) return `holds more than ${MOST_VALUES} values`
  return depth > DEEPEST ? `is nested deeper than ${DEEPEST}` : undefined
}
