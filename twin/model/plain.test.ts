import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conflict, PropertyType, Twin, TwinProperty } from '../../schemas/index.ts'
import { bareValue, plainConflict, plainTime, plainTwin, plainValue, sameBareValue } from './plain.ts'

const VERSION = { cloud: 1, edge: 1 }
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

test('values have the type that a dashboard expects, and a large integer keeps every digit', () => {
  const cases: readonly (readonly [PropertyType, string, string | number | boolean])[] = [
    ['INT', '42', 42],
    ['INT', '+7', 7],
    ['INT', '9007199254740991', 9007199254740991],
    ['INT', '9007199254740993', '9007199254740993'],
    ['INT', '-9223372036854775808', '-9223372036854775808'],
    ['FLOAT', '1.5', 1.5],
    ['DOUBLE', '-2e3', -2000],
    ['BOOLEAN', 'true', true],
    ['STRING', 'true', 'true'],
    ['STRING', '12', '12'],
    ['BYTES', 'AAEC', 'AAEC'],
    ['STREAM', '1', '1'],
    // What an older model has left.
    ['INT', 'abc', 'abc'],
    ['BOOLEAN', '1', '1'],
  ]
  for (const [type, text, value] of cases)
    assert.equal(plainValue(propertyOf(type, text), text), value, `${type} ${text}`)
  // KubeEdge's own types of properties that no model declares.
  const { modelType: _, ...free } = { ...propertyOf('INT', '5'), type: 'integer' }
  assert.equal(plainValue(free, '5'), 5)
})

test('the bare value is the text, and bytes are bytes', () => {
  assert.equal(bareValue(propertyOf('DOUBLE', '1.50')), '1.50')
  assert.deepEqual([...Buffer.from(bareValue(propertyOf('BYTES', 'AAH/')))], [0, 1, 255])
  assert.equal(bareValue(propertyOf('BYTES', 'no base64')), 'no base64')
  assert.equal(bareValue(propertyOf('STRING', '')), '')
  assert.equal(bareValue({ type: 'string', declared: true, optional: false, writable: true }), '')
  assert.equal(bareValue(undefined), '')
})

test('another time or quality is no other bare value; another type is', () => {
  const one = propertyOf('STRING', 'AAH/')
  assert.ok(one.reported)
  assert.ok(sameBareValue(one, { ...one, reported: { ...one.reported, timestamp: 1, quality: 'bad' } }))
  assert.ok(!sameBareValue(one, propertyOf('BYTES', 'AAH/')))
  assert.ok(!sameBareValue(one, undefined))
  assert.ok(sameBareValue(undefined, propertyOf('STRING', '')))
})

test('a twin says what is known and nothing else', () => {
  const conflict: Conflict = {
    ...{ id: 'c-1', winner: 'edge', policy: 'NewestIntent' },
    cloud: { value: '800', timestamp: NOW, author: 'kubectl', generation: 4 },
    edge: { value: '900', timestamp: NOW + 1, author: 'mqtt:panel' },
  }
  const twin: Twin = {
    ...{ id: 'plant/pump-1', uid: 'u', description: '', generation: 4, state: 'offline', revision: 1 },
    ...{ stateReason: 'no answer', lastOnlineTime: '2026-01-02T03:04:05Z' },
    properties: {
      targetSpeed: {
        ...propertyOf('INT', '700'),
        unit: 'rpm',
        desired: { value: '900', timestamp: NOW, version: VERSION, origin: 'edge', author: 'mqtt:panel' },
        failure: { value: '900', reason: 'Timeout', message: 'no answer', timestamp: NOW + 2 },
        conflict,
      },
      flow: {
        ...propertyOf('FLOAT', '1.5'),
        reported: {
          ...{ value: '1.5', timestamp: NOW, sourceTime: NOW, quality: 'uncertain', cause: 'drifts', version: VERSION },
          ...{ stale: true, staleSince: NOW + 9 },
        },
      },
      serial: { type: 'string', declared: true, optional: false, writable: false },
    },
  }
  const expected = {
    id: 'c-1',
    winner: 'edge',
    policy: 'NewestIntent',
    cloud: { value: 800, timestamp: '2026-01-02T03:04:05.006Z', author: 'kubectl', generation: 4 },
    edge: { value: 900, timestamp: '2026-01-02T03:04:05.007Z', author: 'mqtt:panel' },
  }
  assert.deepEqual(plainTwin(twin), {
    device: 'plant/pump-1',
    namespace: 'plant',
    name: 'pump-1',
    state: 'offline',
    stateReason: 'no answer',
    lastOnlineTime: '2026-01-02T03:04:05.000Z',
    properties: {
      targetSpeed: {
        value: 700,
        desired: 900,
        type: 'int',
        unit: 'rpm',
        timestamp: '2026-01-02T03:04:05.006Z',
        sourceTime: '2026-01-02T03:04:05.005Z',
        quality: 'good',
        origin: 'edge',
        author: 'mqtt:panel',
        conflict: expected,
        failure: { reason: 'Timeout', message: 'no answer', timestamp: '2026-01-02T03:04:05.008Z' },
      },
      flow: {
        value: 1.5,
        type: 'float',
        timestamp: '2026-01-02T03:04:05.006Z',
        sourceTime: '2026-01-02T03:04:05.006Z',
        quality: 'uncertain',
        cause: 'drifts',
        stale: true,
        staleSince: '2026-01-02T03:04:05.015Z',
      },
      serial: { type: 'string' },
    },
  })
  assert.deepEqual(plainConflict(propertyOf('INT', '1'), conflict), expected)
})

test('a time that no calendar has is no reason to fail', () => {
  assert.equal(plainTime(8.64e15 + 1), '9999-12-31T23:59:59.999Z')
  assert.equal(plainTime(-1), '1970-01-01T00:00:00.000Z')
})

function propertyOf(modelType: PropertyType, value: string): TwinProperty {
  return {
    ...{ type: modelType.toLowerCase(), modelType, declared: true, optional: false, writable: true },
    reported: { value, timestamp: NOW, sourceTime: NOW - 1, quality: 'good', version: VERSION },
  }
}

test('a property that could never be read says why', () => {
  const never: TwinProperty = {
    ...{ type: 'int', declared: true, optional: false, writable: false },
    unread: { cause: 'illegal data address', timestamp: NOW },
  }
  const twin: Twin = {
    ...{ id: 'default/a', uid: 'u', description: '', generation: 1, state: 'online', revision: 1 },
    ...{ properties: { speed: never }, attributes: {} },
  }
  assert.deepEqual(plainTwin(twin).properties['speed'], { type: 'int', quality: 'bad', cause: 'illegal data address' })
})
