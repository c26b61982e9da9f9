import type { Twin } from '../../schemas/index.ts'
import { isFulfilled, REFUSED } from './property.ts'

/** Desired values that the device has not said yet, by property; without those that it can never be given. */
export function deltaOf(twin: Twin): ReadonlyMap<string, string> {
  const delta = new Map<string, string>()
  for (const [name, property] of Object.entries(twin.properties)) {
    const { desired, writable, failure } = property
    if (!desired || desired.value === '' || !writable || failure?.reason === REFUSED || isFulfilled(property)) continue
    delta.set(name, desired.value)
  }
  return delta
}

export function sameDelta(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value)
}
