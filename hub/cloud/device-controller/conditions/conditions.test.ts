import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Condition, DeviceModel, StatusConflict } from '../../../../schemas/index.ts'
import { pumpDevice, pumpModel } from '../../testing/harness.ts'
import type { PropertyView } from '../views/twin-view.ts'
import { type ConditionInput, conditionNamed, conditionsOf } from './conditions.ts'

const NOW = '2026-08-06T12:00:00Z'
const LATER = '2026-08-06T12:00:09Z'

function input(overrides: Partial<ConditionInput> = {}): ConditionInput {
  const device = pumpDevice('pump-1', '1200')
  return {
    device: { ...device, metadata: { ...device.metadata, generation: 3 } },
    model: pumpModel(),
    nodeKnown: true,
    away: false,
    state: 'online',
    stateReason: undefined,
    view: new Map(),
    intents: {},
    refusals: [],
    previous: [],
    now: NOW,
    ...overrides,
  }
}

const view = (property: PropertyView) => new Map([['targetSpeed', property]])
const synced = (property: PropertyView, overrides: Partial<ConditionInput> = {}) =>
  conditionNamed(conditionsOf(input({ view: view(property), ...overrides })), 'Synced')

test('Synced is true only when the intent was seen and read back', () => {
  const seen = { value: '1200', metadata: { generation: '3' } }
  assert.equal(synced({})?.reason, 'Pending')
  assert.equal(
    synced({ reported: { value: '1200' } })?.reason,
    'Pending',
    'an equal reading from before proves nothing',
  )
  assert.equal(synced({ observedDesired: seen })?.reason, 'Pending')
  assert.equal(synced({ observedDesired: seen, reported: { value: '900' } })?.reason, 'Pending')
  assert.equal(synced({ observedDesired: seen, reported: { value: '1200' } })?.status, 'True')
  assert.equal(synced({ observedDesired: { value: '1200' }, reported: { value: '1200' } })?.status, 'True', 'KubeEdge')
  const bad = { value: '1200', metadata: { quality: 'bad', cause: 'timeout' } }
  assert.match(synced({ observedDesired: seen, reported: bad })?.message ?? '', /cannot be read back: timeout/)
})

test('a device of which nothing is desired says so, and claims no read-back', () => {
  const device = { ...pumpDevice('pump-1'), metadata: { name: 'pump-1', namespace: 'default', generation: 3 } }
  assert.match(synced({}, { device })?.message ?? '', /no property of the spec has a desired value/)
})

test('values are compared by their type', () => {
  const model: DeviceModel = pumpModel([{ name: 'targetSpeed', type: 'FLOAT', accessMode: 'ReadWrite' }])
  const property = { observedDesired: { value: '1.2e3' }, reported: { value: '1200.0' } }
  assert.equal(synced(property, { model })?.status, 'True')
})

test('an override counts once the edge has adopted the present generation', () => {
  const override = (generation: string) => ({
    observedDesired: { value: '500', metadata: { generation, origin: 'edge' } },
    reported: { value: '500' },
  })
  assert.equal(synced(override('3'))?.reason, 'EdgeOverride')
  assert.equal(synced(override('2'))?.reason, 'Pending')
})

test('an override names both values and who wrote them', () => {
  const metadata = { generation: '3', origin: 'edge', author: 'mqtt:panel' }
  const found = synced(
    { observedDesired: { value: '500', metadata } },
    { intents: { targetSpeed: { value: '1200', generation: 3, author: 'kubectl-patch' } } },
  )
  assert.equal(
    found?.message,
    'targetSpeed: mqtt:panel set 500 at the edge, instead of 1200 that kubectl-patch set in the spec',
  )
})

test('Agreed is false while a conflict stands, and says what both sides wanted', () => {
  const conflict: StatusConflict = {
    ...{ propertyName: 'targetSpeed', standing: true, id: 'c', winner: 'edge', policy: 'NewestIntent' },
    cloud: { value: '1200', timestamp: Date.parse(NOW), author: 'kubectl-patch', generation: 3 },
    edge: { value: 'x'.repeat(500), timestamp: Number.MAX_VALUE, author: 'mqtt:panel' },
  }
  const agreed = (...conflicts: StatusConflict[]) =>
    conditionNamed(conditionsOf(input({ view: view({ conflicts }) })), 'Agreed')
  assert.deepEqual([agreed()?.status, agreed()?.reason], ['True', 'NoConflict'])
  assert.equal(agreed({ ...conflict, standing: false })?.status, 'True')
  const found = agreed(conflict)
  assert.deepEqual([found?.status, found?.reason], ['False', 'EdgeWon'])
  assert.match(
    found?.message ?? '',
    /^targetSpeed: kubectl-patch set 1200 in the spec \(generation 3, 2026-08-06T12:00:00/,
  )
  assert.match(
    found?.message ?? '',
    /mqtt:panel set x{100}… at the edge \(at an unknown time\).*the edge won \(NewestIntent\)$/,
  )
  assert.equal(agreed({ ...conflict, winner: 'cloud' })?.reason, 'CloudWon')
})

test('an annotation that cannot be understood is a reason not to accept, wherever it stands', () => {
  const annotations = { 'skerry.dev/desired-policy': 'speed=Nobody' }
  const { device, model } = input()
  const accepted = (more: Partial<ConditionInput>) => conditionNamed(conditionsOf(input(more)), 'Accepted')
  const own = accepted({ device: { ...device, metadata: { ...device.metadata, annotations } } })
  assert.equal(own?.reason, 'InvalidAnnotation')
  assert.match(
    own?.message ?? '',
    /^metadata.annotations\[skerry.dev\/desired-policy\]: .*CloudWins, EdgeWins, NewestIntent/,
  )
  assert.ok(model)
  const inherited = accepted({ model: { ...model, metadata: { ...model.metadata, annotations } } })
  assert.match(inherited?.message ?? '', /^DeviceModel pump: metadata/)
})

test('a property that its model does not have is named where nobody will serve it', () => {
  const { device } = input()
  const properties = [...(device.spec.properties ?? []), { name: 'ghost' }]
  const accepted = conditionNamed(
    conditionsOf(input({ device: { ...device, spec: { ...device.spec, properties } } })),
    'Accepted',
  )
  assert.equal(accepted?.status, 'True')
  assert.match(accepted?.message ?? '', /not in DeviceModel pump, so not served: ghost$/)
})

test('a failure counts for the value that failed only', () => {
  const failed = (failureValue: string) => ({
    observedDesired: { value: '1200', metadata: { generation: '3', failureValue, failureMessage: 'no' } },
    reported: { value: '1' },
  })
  assert.equal(synced(failed('1200'))?.reason, 'WriteFailed')
  assert.equal(synced(failed('900'))?.reason, 'Pending')
})

test('a refusal of the edge holds over a restart of the cloud, until the device changes', () => {
  const refusals = [{ pointer: '/spec/x', message: 'bad' }]
  const previous = conditionsOf(input({ refusals }))
  const accepted = (more: Partial<ConditionInput>) =>
    conditionNamed(conditionsOf(input({ previous, ...more })), 'Accepted')
  assert.equal(accepted({ refusals: undefined })?.reason, 'RefusedByEdge')
  assert.equal(accepted({ refusals: [] })?.status, 'True')
  const { device } = input()
  const changed = { ...device, metadata: { ...device.metadata, generation: 4 } }
  assert.equal(accepted({ refusals: undefined, device: changed })?.status, 'True')
})

test('what the edge warns of is said, and stands until the edge takes it back', () => {
  const warning = { pointer: '/spec/properties', message: 'the cycles cannot be kept', warning: true }
  const accepted = (more: Partial<ConditionInput>) => conditionNamed(conditionsOf(input(more)), 'Accepted')
  const warned = accepted({ refusals: [warning] })
  assert.deepEqual([warned?.status, warned?.reason], ['True', 'AcceptedWithWarnings'])
  assert.match(
    warned?.message ?? '',
    /^assigned to node \S+, with warnings: \/spec\/properties: the cycles cannot be kept$/,
  )
  assert.ok(warned)
  const { device } = input()
  const changed = { ...device, metadata: { ...device.metadata, generation: 4 } }
  assert.equal(accepted({ refusals: undefined, previous: [warned], device: changed })?.message, warned.message)
  assert.equal(accepted({ refusals: [], previous: [warned] })?.reason, 'Accepted')
  assert.equal(accepted({ refusals: [warning, { pointer: '/spec', message: 'bad' }] })?.reason, 'RefusedByEdge')
  const many = accepted({ refusals: Array.from({ length: 9 }, () => warning) })
  assert.match(many?.message ?? '', /; and 4 more$/)
})

test('conditions of others are kept', () => {
  const other: Condition = { type: 'Other', status: 'True', reason: 'X', message: '', lastTransitionTime: NOW }
  assert.deepEqual(conditionsOf(input({ previous: [other] })).at(-1), other)
})

test('the transition time moves with the status and with nothing else, and the same input changes nothing', () => {
  const value = fc.constantFrom('1200', '900', undefined)
  const situation = fc.record({
    expected: value,
    actual: value,
    generation: fc.constantFrom('2', '3'),
    away: fc.boolean(),
    nodeKnown: fc.boolean(),
    state: fc.constantFrom('online', 'offline', 'unhealthy', undefined),
  })
  const settle = (
    s: {
      expected: string | undefined
      actual: string | undefined
      generation: string
      away: boolean
      nodeKnown: boolean
      state: string | undefined
    },
    previous: readonly Condition[],
    now: string,
  ) =>
    conditionsOf(
      input({
        away: s.away,
        nodeKnown: s.nodeKnown,
        state: s.state,
        previous,
        now,
        view: view({
          ...(s.expected ? { observedDesired: { value: s.expected, metadata: { generation: s.generation } } } : {}),
          ...(s.actual ? { reported: { value: s.actual } } : {}),
        }),
      }),
    )
  fc.assert(
    fc.property(situation, situation, (a, b) => {
      const first = settle(a, [], NOW)
      const second = settle(b, first, LATER)
      for (const condition of second) {
        const same = conditionNamed(first, condition.type)?.status === condition.status
        assert.equal(condition.lastTransitionTime, same ? NOW : LATER)
      }
      assert.deepEqual(settle(b, second, '2030-01-01T00:00:00Z'), second)
    }),
  )
})

test('an annotation that nobody can read is told where no webhook refused it', () => {
  const { device } = input()
  const wrong = {
    ...device,
    metadata: { ...device.metadata, annotations: { 'skerry.dev/time-to-live': 'speed=soon' } },
  }
  const accepted = conditionNamed(conditionsOf(input({ device: wrong })), 'Accepted')
  assert.deepEqual([accepted?.status, accepted?.reason], ['False', 'InvalidAnnotation'])
  assert.match(accepted?.message ?? '', /time-to-live.*"soon"/)
})

test('what the edge says of a mapper is the reason of Online, and stands over a restart of the cloud', () => {
  const online = (overrides: Partial<ConditionInput>) => conditionNamed(conditionsOf(input(overrides)), 'Online')
  const stateReason = 'mapper modbus crashed: it showed no life and was ended'
  const crashed = online({ state: 'unknown', stateReason, stateCode: 'MapperCrashed' })
  assert.deepEqual(
    [crashed?.status, crashed?.reason, crashed?.message],
    ['Unknown', 'MapperCrashed', 'mapper modbus crashed: it showed no life and was ended'],
  )
  assert.ok(crashed)
  const later = online({ state: 'unknown', previous: [crashed] })
  assert.deepEqual([later?.reason, later?.message], ['MapperCrashed', stateReason])
  assert.equal(online({ state: 'unknown', stateReason: 'asked', previous: [crashed] })?.reason, 'NotReported')
  assert.equal(online({ state: 'offline', stateReason, stateCode: 'MapperCrashed' })?.reason, 'Offline')
})

test('Online names what an answering device does not give, and why', () => {
  const online = (views: Readonly<Record<string, PropertyView>>, overrides: Partial<ConditionInput> = {}) => {
    const device = input().device
    const properties = Object.keys(views).map((name) => ({ name }))
    const spec = { ...device.spec, properties }
    const given = input({ device: { ...device, spec }, view: new Map(Object.entries(views)), ...overrides })
    return conditionNamed(conditionsOf(given), 'Online')
  }
  assert.equal(online({ a: { reported: { value: '1' } } })?.message, 'the device answers')
  const lost = { reported: { value: '1', metadata: { quality: 'bad', cause: 'illegal data address' } } }
  const some = online({ a: { unread: 'no such node' }, b: lost, c: { reported: { value: '1' } } })
  assert.equal(some?.status, 'True')
  assert.equal(some?.message, 'the device answers; cannot be read: a (no such node), b (illegal data address)')
  const many = online(Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`p${at}`, { unread: 'x' }])))
  assert.match(many?.message ?? '', /p4 \(x\) and 3 more$/)
  const again = online({ a: { reported: { value: '1' } } }, { previous: some ? [some] : [] })
  assert.equal(again?.message, 'the device answers', 'healed')
  assert.equal(online({ a: { unread: 'x' } }, { state: 'offline' })?.message, 'the device does not answer')
})
