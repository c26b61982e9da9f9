import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { desiredPolicies, refuseDesiredPolicy } from './desired-policy.ts'
import type { Device, DeviceModel } from './device.ts'
import { parsePropertySettings, settingFor } from './property-settings.ts'

const parsed = (text: string) => {
  const result = parsePropertySettings(text)
  return result.ok ? Object.fromEntries(result.settings) : result.reason
}

test('settings are pairs, or one word for all; blanks do not count', () => {
  assert.deepEqual(parsed('speed=10s, *=5m'), { speed: '10s', '*': '5m' })
  assert.deepEqual(parsed(' speed = 10s '), { speed: '10s' })
  assert.deepEqual(parsed('CloudWins'), { '*': 'CloudWins' })
  assert.deepEqual(parsed('a=b=c'), { a: 'b=c' })
  assert.deepEqual(parsed('constructor=1'), { constructor: '1' })
})

test('what is no setting is refused with what to write instead', () => {
  for (const text of ['', ' ', 'a=', '=b', 'a=b,', 'a=b,c', 'a,b']) {
    assert.match(String(parsed(text)), /write pairs as in "speed=A, \*=B"/, text)
  }
  assert.equal(parsed('a=1, a=2'), 'names a twice')
  fc.assert(fc.property(fc.string(), (text) => typeof parsePropertySettings(text).ok === 'boolean'))
})

test('what is written can be read back', () => {
  const word = fc.stringMatching(/^[^,=\s]+$/)
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(word, word), { selector: ([name]) => name, minLength: 1 }), (pairs) => {
      const result = parsePropertySettings(pairs.map(([name, text]) => `${name}=${text}`).join(', '))
      assert.deepEqual(result.ok && [...result.settings], pairs)
    }),
  )
})

test('the device goes before its model, and a name before all', () => {
  const device = new Map([['speed', 'd']])
  const model = new Map([
    ['speed', 'm'],
    ['level', 'm'],
    ['*', 'm*'],
  ])
  assert.deepEqual(
    ['speed', 'level', 'other'].map((name) => settingFor(name, device, model)),
    ['d', 'm', 'm*'],
  )
  assert.equal(settingFor('level', new Map([['*', 'd*']]), model), 'd*')
  assert.equal(settingFor('level', undefined, undefined), undefined)
})

const annotated = (text: string | undefined) => ({
  apiVersion: '',
  kind: '',
  metadata: { name: 'x', ...(text === undefined ? {} : { annotations: { 'skerry.dev/desired-policy': text } }) },
  spec: {},
})

test('the policy of a property is that of the annotations; a malformed one and an unknown word say nothing', () => {
  const policy = (property: string, ofDevice?: string, ofModel?: string) => {
    const device: Device = annotated(ofDevice)
    const model: DeviceModel = annotated(ofModel)
    return desiredPolicies(device, model)(property)
  }
  assert.equal(policy('speed'), 'NewestIntent')
  assert.equal(policy('speed', 'speed=CloudWins'), 'CloudWins')
  assert.equal(policy('level', 'speed=CloudWins', 'EdgeWins'), 'EdgeWins')
  assert.equal(policy('speed', 'speed=,', 'EdgeWins'), 'EdgeWins')
  assert.equal(policy('speed', 'Nobody'), 'NewestIntent')
})

test('a policy annotation is refused for its form, its words and the properties that it names', () => {
  assert.equal(refuseDesiredPolicy('speed=CloudWins, *=NewestIntent', ['speed']), undefined)
  assert.match(refuseDesiredPolicy('speed', ['speed']) ?? '', /one of CloudWins, EdgeWins, NewestIntent/)
  assert.equal(refuseDesiredPolicy('sped=CloudWins', ['speed']), 'names no property: sped')
  assert.match(refuseDesiredPolicy('speed=', ['speed']) ?? '', /write pairs/)
})
