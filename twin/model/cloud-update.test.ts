import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CloudUpdate, decodeCloudAttributes, decodeCloudTwin, parseTwin, type Twin } from '../../schemas/index.ts'
import { lamp, lampModel } from '../testing/edge.ts'
import { adopt } from './adopt.ts'
import { applyAttributes } from './attributes.ts'
import { applyCloudUpdate } from './cloud-update.ts'
import { TWIN_LIMITS } from './update.ts'

const NOW = 1000
const LAMP = adopt(undefined, { device: lamp({ generation: 3, brightness: '40' }), model: lampModel() }, NOW)

function say(twin: Twin, change: object, name = 'brightness') {
  const decoded = decodeCloudTwin(twin.id, { event_id: 'e', twin: { [name]: change } })
  assert.ok(decoded.ok && decoded.update.kind === 'twin')
  return applyCloudUpdate(twin, decoded.update, TWIN_LIMITS, NOW)
}

const wish = (value: string, cloud: number, edge: number) => ({
  expected: { value },
  expected_version: { cloud, edge },
})

test('a wish of the cloud is taken when neither counter is behind, with the versions that it came with', () => {
  const { version } = LAMP.properties['brightness']?.desired ?? {}
  assert.deepEqual(version, { cloud: 3, edge: 0 })
  for (const [cloud, edge, isTaken] of [
    [3, 0, true],
    [4711, 5, true],
    [2, 9, false],
  ] as const) {
    const { twin, stale } = say(LAMP, wish('50', cloud, edge))
    const { desired } = twin.properties['brightness'] ?? {}
    assert.deepEqual([desired?.value, stale], isTaken ? ['50', []] : ['40', ['brightness']])
    if (isTaken) assert.deepEqual([desired?.version, desired?.origin], [{ cloud, edge }, 'cloud'])
  }
})

test('what the model forbids, has no version or no type is refused; the rest of the message is taken', () => {
  for (const change of [wish('500', 9, 9), { expected: { value: '5' } }, { ...wish('bright', 9, 9) }]) {
    const { twin, refusal } = say(LAMP, change)
    assert.equal(twin, LAMP)
    assert.equal(typeof refusal, 'string')
  }
  assert.equal(typeof say(LAMP, wish('1', 9, 9), 'power').refusal, 'string')
  assert.equal(typeof say(LAMP, { ...wish('1', 9, 9), metadata: { type: 'odd' } }, 'fresh').refusal, 'string')
  assert.equal(typeof say(LAMP, { metadata: { type: 'deleted' } }).refusal, 'string')
  const twin = { brightness: wish('500', 9, 9), mode: wish('on', 9, 9) }
  const decoded = decodeCloudTwin('default/lamp', { twin })
  assert.ok(decoded.ok && decoded.update.kind === 'twin')
  const mixed = applyCloudUpdate(LAMP, decoded.update, TWIN_LIMITS, NOW)
  assert.equal(mixed.twin.properties['mode']?.desired?.value, 'on')
  assert.equal(mixed.twin.properties['brightness']?.desired?.value, '40')
})

test('the same word again changes nothing', () => {
  const once = say(LAMP, { ...wish('50', 9, 0), actual: { value: '50' }, actual_version: { cloud: 9, edge: 0 } }).twin
  const again = say(once, { ...wish('50', 9, 0), actual: { value: '50' }, actual_version: { cloud: 9, edge: 0 } })
  assert.equal(again.twin, once)
})

test('no word of a cloud makes a twin that could not be read back, or throws', () => {
  const odd = fc.constantFrom<unknown>('1', '\ud800', '', null, 5, {}, [], true, 'x'.repeat(70_000))
  const version = fc.constantFrom<unknown>({ cloud: 9, edge: 9 }, { cloud: -1 }, { cloud: 1e300, edge: 'x' }, null, 5)
  const change = fc.record(
    {
      expected: fc.oneof(fc.record({ value: odd, metadata: fc.anything() }), odd),
      actual: fc.oneof(fc.record({ value: odd }), odd),
      optional: odd,
      metadata: fc.oneof(fc.record({ type: fc.constantFrom<unknown>('int', 'deleted', 'odd', 7, '') }), odd),
      ...{ expected_version: version, actual_version: version, value: odd },
    },
    { requiredKeys: [] },
  )
  const name = fc.constantFrom('brightness', 'power', 'free', '__proto__', '', 'constructor', '\ud800', 'n'.repeat(300))
  const content = fc.oneof(
    fc.record({ event_id: odd, twin: fc.dictionary(name, fc.oneof(change, odd)) }),
    fc.anything(),
  )
  fc.assert(
    fc.property(content, fc.boolean(), (given, isAttributes) => {
      const body =
        isAttributes && typeof given === 'object' && given !== null && 'twin' in given
          ? { attributes: given.twin }
          : given
      const decoded = isAttributes ? decodeCloudAttributes('default/lamp', body) : decodeCloudTwin('default/lamp', body)
      if (!decoded.ok) return
      const after = applied(decoded.update)
      assert.deepEqual(parseTwin(JSON.stringify(after)), JSON.parse(JSON.stringify(after)))
      assert.ok(after === LAMP || after.revision === LAMP.revision + 1)
    }),
    { numRuns: 2000 },
  )
})

function applied(update: CloudUpdate): Twin {
  if (update.kind === 'twin') return applyCloudUpdate(LAMP, update, TWIN_LIMITS, NOW).twin
  const updated = applyAttributes(LAMP, update, TWIN_LIMITS)
  return updated.ok ? updated.twin : LAMP
}
