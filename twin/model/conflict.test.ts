import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CloudIntents, DesiredPolicy, Twin, TwinProperty } from '../../schemas/index.ts'
import { lamp, lampModel } from '../testing/edge.ts'
import { adopt } from './adopt.ts'
import { applyReport } from './report.ts'
import { applyUpdate, TWIN_LIMITS } from './update.ts'

const POLICY = 'skerry.dev/desired-policy'

interface Given {
  readonly generation: number
  readonly value?: string
  readonly policy?: string
  readonly intent?: Partial<CloudIntents[string]>
}

function given(before: Twin | undefined, { generation, value, policy, intent }: Given): Twin {
  const device = lamp({ generation, ...(value === undefined ? {} : { brightness: value }) })
  const annotated = policy ? { ...device, metadata: { ...device.metadata, annotations: { [POLICY]: policy } } } : device
  const intents = value !== undefined && intent ? { brightness: { value, generation, ...intent } } : undefined
  return adopt(before, { device: annotated, model: lampModel(), ...(intents ? { intents } : {}) }, 1000)
}

function wished(twin: Twin, expected: string, now = 500, author = 'mqtt:panel'): Twin {
  const updated = applyUpdate(
    twin,
    { eventId: '', twin: new Map([['brightness', { expected }]]), author },
    TWIN_LIMITS,
    now,
  )
  assert.ok(updated.ok)
  return updated.twin
}

function brightness(twin: Twin): TwinProperty {
  const property = twin.properties['brightness']
  assert.ok(property)
  return property
}

/** The spec said 40, a client of the edge wishes 70 at time 500. */
const overridden = (): Twin => wished(given(undefined, { generation: 1, value: '40', intent: { timestamp: 10 } }), '70')

test('between wishes that did not know of each other the policy decides, and a tie is the cloud’s', () => {
  const cases: readonly (readonly [DesiredPolicy, number, 'cloud' | 'edge'])[] = [
    ['CloudWins', 1, 'cloud'],
    ['EdgeWins', 9999, 'edge'],
    ['NewestIntent', 499, 'edge'],
    ['NewestIntent', 500, 'cloud'],
    ['NewestIntent', 501, 'cloud'],
  ]
  for (const [policy, timestamp, winner] of cases) {
    const twin = given(overridden(), { generation: 2, value: '50', policy, intent: { timestamp, author: 'kubectl' } })
    const { desired, intent, conflict } = brightness(twin)
    assert.deepEqual([desired?.origin, desired?.value], winner === 'edge' ? ['edge', '70'] : ['cloud', '50'])
    assert.deepEqual(intent, { value: '50', generation: 2 })
    assert.deepEqual(conflict, {
      ...{ id: 'u-1/brightness/2/1.500', winner, policy },
      cloud: { value: '50', timestamp, author: 'kubectl', generation: 2 },
      edge: { value: '70', timestamp: 500, author: 'mqtt:panel' },
    })
    assert.equal(given(twin, { generation: 2, value: '50', policy, intent: { timestamp } }), twin, 'nothing new')
  }
})

test('an intent that knew the wish is the later one, under every policy; one that knew another wish did not', () => {
  for (const policy of ['CloudWins', 'EdgeWins', 'NewestIntent']) {
    const intent = { timestamp: 1, seen: { edge: 1, timestamp: 500 } }
    const { desired, conflict } = brightness(given(overridden(), { generation: 2, value: '50', policy, intent }))
    assert.deepEqual([desired?.value, conflict], ['50', undefined])
  }
  for (const seen of [
    { edge: 1, timestamp: 400 },
    { edge: 7, timestamp: 500 },
  ]) {
    const intent = { timestamp: 1, seen }
    assert.equal(brightness(given(overridden(), { generation: 2, value: '50', intent })).conflict?.winner, 'edge')
  }
})

test('a cloud that says nothing of its intents wins by arrival, and the conflict is known all the same', () => {
  const { desired, conflict } = brightness(given(overridden(), { generation: 2, value: '50' }))
  assert.deepEqual([desired?.value, conflict?.winner, conflict?.cloud.timestamp], ['50', 'cloud', 1000])
  const kept = brightness(given(overridden(), { generation: 2, value: '50', policy: 'brightness=EdgeWins' }))
  assert.deepEqual([kept.desired?.value, kept.conflict?.cloud.author], ['70', 'cloud'])
})

test('wishes that mean the same agree, and the value is the cloud’s from then on', () => {
  const { desired, conflict } = brightness(
    given(overridden(), { generation: 2, value: '+70', intent: { timestamp: 1 } }),
  )
  assert.deepEqual([desired?.origin, desired?.version, conflict], ['cloud', { cloud: 2, edge: 1 }, undefined])
})

test('a value that went away and came back is a new intent, though the edge saw nothing else; an upgrade makes none', () => {
  const back = given(overridden(), { generation: 3, value: '40', intent: { timestamp: 501 } })
  assert.deepEqual([brightness(back).desired?.value, brightness(back).conflict?.cloud.generation], ['40', 3])
  const twin = overridden()
  const first = { value: '40', generation: 1 }
  const upgraded = given(twin, { generation: 9, value: '40', intent: first })
  assert.equal(brightness(upgraded).desired?.value, '70')
})

test('what the cloud wants again, and has wanted all along, is no new order', () => {
  const twin = given(undefined, { generation: 1, value: '40', intent: { timestamp: 10 } })
  const again = given(twin, { generation: 3, value: '40', intent: { timestamp: 90 } })
  assert.equal(brightness(again).desired, brightness(twin).desired)
  assert.equal(brightness(again).intent?.generation, 3)
})

test('a conflict ends with the next wish of a side that knows of it, and the last four are remembered', () => {
  let twin = overridden()
  for (let generation = 2; generation < 9; generation++) {
    const value = String(generation)
    twin = given(twin, { generation, value, policy: 'EdgeWins', intent: { timestamp: 1 } })
    assert.ok(brightness(twin).conflict)
    // The same value once more says: yes, this one.
    twin = wished(twin, '70', 500 + generation)
    assert.equal(brightness(twin).conflict, undefined)
  }
  const past = brightness(twin).pastConflicts?.map(({ cloud }) => cloud.generation)
  assert.deepEqual(past, [5, 6, 7, 8])
  const standing = given(twin, { generation: 9, value: '9', policy: 'CloudWins', intent: { timestamp: 1 } })
  const withdrawn = given(standing, { generation: 10 })
  const { desired, conflict } = brightness(withdrawn)
  assert.deepEqual([desired, conflict], [undefined, undefined])
})

test('a reading ends no conflict, and long values are cut in one', () => {
  const twin = given(overridden(), { generation: 2, value: '50', policy: 'EdgeWins', intent: { timestamp: 1 } })
  const reading = { property: 'brightness', value: '70', sourceTime: 600, quality: 'good' } as const
  const read = applyReport(twin, { id: twin.id, readings: [reading], writes: [] }, TWIN_LIMITS, 600)
  assert.deepEqual(brightness(read).conflict, brightness(twin).conflict)
  const text = { type: 'string', declared: true, optional: false, writable: true }
  const long = {
    ...text,
    desired: { value: 'x', timestamp: 1, version: { cloud: 1, edge: 1 }, origin: 'edge' as const },
  }
  const model = lampModel()
  const spec = { ...model.spec, properties: [{ name: 'brightness', type: 'STRING', accessMode: 'ReadWrite' } as const] }
  const device = lamp({ generation: 2, brightness: 'y'.repeat(5000) })
  const before = { ...twin, properties: { brightness: long } }
  const after = brightness(adopt(before, { device, model: { ...model, spec } }, 1000))
  assert.deepEqual([after.desired?.value.length, after.conflict?.cloud.value.length], [5000, 1001])
})
