import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ApiObject } from '../../kube/resource.ts'
import { countWithin, type Entry, type ObjectsView, OrderedObjects, within } from './ordered-objects.ts'
import { pastView } from './past-view.ts'

const object = (version: number): ApiObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { version } })
/** Few enough keys that changes meet, and enough of them for several blocks. */
const KEYS = Array.from({ length: 600 }, (_, index) => `${['a', 'b', 'ba'][index % 3]}/${index}`)
const step = fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom('set', 'set', 'set', 'delete', 'view'))
const steps = fc.array(step, { maxLength: 2_000, size: 'max' })
const sorted = (map: ReadonlyMap<string, ApiObject>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

function assertShows(view: ObjectsView, expected: readonly Entry[]): void {
  assert.deepEqual([...view.from('')], expected)
  assert.equal(view.countBefore(), expected.length)
  for (const text of ['', 'a/300', 'b/', 'ba/1', 'c']) {
    assert.equal(view.countBefore(text), expected.filter(([key]) => key < text).length)
    assert.deepEqual(
      [...view.from(text)],
      expected.filter(([key]) => key >= text),
    )
    assert.equal(view.get(text), expected.find(([key]) => key === text)?.[1])
  }
  for (const [prefix, start] of [
    ['b/', ''],
    ['b/', 'b/4'],
    ['', 'b/'],
    ['none/', ''],
  ] as const) {
    const found = expected.filter(([key]) => key.startsWith(prefix) && key >= start)
    assert.deepEqual([...within(view, prefix, start)], found)
    assert.equal(countWithin(view, prefix, start), found.length)
  }
}

describe('objects in order', () => {
  it('are those that were put there, and each view shows what was there when it was taken', () => {
    fc.assert(
      fc.property(steps, (changes) => {
        const objects = new OrderedObjects()
        const model = new Map<string, ApiObject>()
        const views: (readonly [ObjectsView, readonly Entry[]])[] = []
        for (const [version, [key, act]] of changes.entries()) {
          if (act === 'view') views.push([objects.view(), sorted(model)])
          if (act === 'delete') {
            objects.delete(key)
            model.delete(key)
          }
          if (act !== 'set') continue
          const made = object(version)
          objects.set(key, made)
          model.set(key, made)
        }
        assert.equal(objects.size, model.size)
        for (const [view, expected] of [...views.slice(-5), [objects.view(), sorted(model)] as const]) {
          assertShows(view, expected)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('as they were before some of them changed are the same as if nothing had', () => {
    fc.assert(
      fc.property(steps, steps, (first, later) => {
        const objects = new OrderedObjects()
        const apply = ([key, act]: readonly [string, string], version: number) => {
          if (act === 'delete') objects.delete(key)
          else objects.set(key, object(version))
        }
        for (const [version, change] of first.entries()) apply(change, version)
        const then = objects.view()
        const before = new Map(later.map(([key]) => [key, then.get(key)]))
        for (const [version, change] of later.entries()) apply(change, -version)
        assertShows(pastView(objects.view(), before), [...then.from('')])
      }),
      { numRuns: 20 },
    )
  })
})
