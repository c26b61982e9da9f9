import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ApiObject } from '../resource.ts'
import { type Change, ChangeLog, changeOf, eventOf, statesBefore } from './index.ts'

const object = (name: string, version: number, labels: Record<string, string> = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, resourceVersion: String(version), labels },
})
const isRed = ({ metadata }: ApiObject) => JSON.stringify(metadata['labels']).includes('red')

function change(version: number, before: ApiObject | undefined, after: ApiObject | undefined): Change {
  const made = changeOf(version, '/a', before, after)
  assert.ok(made)
  return made
}

describe('events of a filtered watch', () => {
  const red = object('a', 1, { color: 'red' })
  const blue = object('a', 2, { color: 'blue' })
  it('an object that begins to match was added', () => {
    assert.equal(eventOf(change(3, blue, red), isRed)?.type, 'ADDED')
  })
  it('an object that ends to match was deleted, as it last matched, with the new version', () => {
    const event = eventOf(change(2, red, blue), isRed)
    assert.equal(event?.type, 'DELETED')
    assert.deepEqual(event?.object.metadata, { name: 'a', resourceVersion: '2', labels: { color: 'red' } })
  })
  it('a deletion carries the version that it made', () => {
    const event = eventOf(change(7, red, undefined), isRed)
    assert.equal(event?.type, 'DELETED')
    assert.equal(event?.object.metadata['resourceVersion'], '7')
  })
  it('what never matched says nothing', () => {
    assert.equal(eventOf(change(3, blue, blue), isRed), undefined)
    assert.equal(eventOf(change(3, undefined, blue), isRed), undefined)
  })
})

describe('a log of changes', () => {
  it('tells all after a version, or that it forgot', () => {
    const log = new ChangeLog(10, { changes: 3, bytes: Infinity })
    for (let version = 11; version <= 20; version++) log.append(change(version, undefined, object('a', version)))
    assert.deepEqual(
      log.since(18)?.map(({ version }) => version),
      [19, 20],
    )
    assert.equal(log.since(log.compacted - 1), undefined)
    assert.ok(log.compacted > 10)
    assert.deepEqual(log.since(20), [])
  })

  it('is bounded by what it holds, too, and lets go of what is old', () => {
    const log = new ChangeLog(0, { changes: 1000, bytes: 100 })
    for (let version = 1; version <= 50; version++) {
      log.append(change(version, undefined, object('a', version)), 10)
      assert.ok(log.bytes <= 100)
      assert.ok(log.since(version - 1)?.length === 1)
    }
    assert.ok(log.compacted >= 40)
    log.compact(49)
    assert.deepEqual([log.compacted, log.bytes], [49, 10])
    log.compact(1000)
    assert.deepEqual([log.compacted, log.bytes, log.since(50)], [50, 0, []], 'nothing happened since')
  })

  it('the states before the changes since then give that of any remembered version', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('/a', '/b', '/c'), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(steps, fc.nat(40), (choices, back) => {
        const log = new ChangeLog(0, { changes: 1000, bytes: Infinity })
        const states: ReadonlyMap<string, ApiObject>[] = [new Map()]
        for (const [key, isRemoval] of choices) {
          const present = new Map(states.at(-1))
          const version = states.length
          const after = isRemoval ? undefined : object(key, version)
          const made = changeOf(version, key, present.get(key), after)
          if (after) present.set(key, after)
          else present.delete(key)
          if (made) log.append(made)
          states.push(present)
        }
        const version = Math.max(0, states.length - 1 - back)
        const past = new Map(states.at(-1))
        for (const [key, before] of statesBefore(log.since(version) ?? [])) {
          if (before) past.set(key, before)
          else past.delete(key)
        }
        assert.deepEqual(new Map([...past].sort()), new Map([...(states[version] ?? new Map())].sort()))
      }),
    )
  })
})
