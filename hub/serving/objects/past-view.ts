import type { ApiObject } from '../../kube/resource.ts'
import type { Entry, ObjectsView } from './ordered-objects.ts'

/** What was there before the changes that are given: per key what it was then, undefined for nothing. */
export function pastView(present: ObjectsView, before: ReadonlyMap<string, ApiObject | undefined>): ObjectsView {
  const changed = [...before.keys()].sort()
  return {
    get: (key) => (before.has(key) ? before.get(key) : present.get(key)),
    *from(start) {
      const keys = changed.filter((key) => key >= start).values()
      let next = keys.next()
      const untouched = function* (until?: string): Generator<Entry> {
        for (; !next.done && (until === undefined || next.value < until); next = keys.next()) {
          const object = before.get(next.value)
          if (object) yield [next.value, object]
        }
      }
      for (const entry of present.from(start)) {
        yield* untouched(entry[0])
        if (!before.has(entry[0])) yield entry
      }
      yield* untouched()
    },
    countBefore(text) {
      let count = present.countBefore(text)
      for (const [key, object] of before) {
        if (text !== undefined && key >= text) continue
        count += (object ? 1 : 0) - (present.get(key) ? 1 : 0)
      }
      return count
    },
  }
}
