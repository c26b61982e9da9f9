import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, PropertyType } from '../../schemas/index.ts'
import { judgeAnswer, matches } from './answer.ts'
import { fillPayload } from './command.ts'
import { Message } from './message.ts'
import { readingOf } from './reading.ts'
import { parseTime } from './source-time.ts'
import { visitorConfig } from './visitor.ts'

const NOW = 1_700_000_000_000

function visitor(config: JsonObject) {
  const parsed = visitorConfig.parse({ topic: 't', ...config })
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

function message(payload: string | Uint8Array, isRetained = false) {
  return new Message('t', typeof payload === 'string' ? new TextEncoder().encode(payload) : payload, isRetained, NOW)
}

function value(payload: string | Uint8Array, config: JsonObject, type: PropertyType = 'STRING') {
  const outcome = readingOf(message(payload), type, visitor(config))
  return outcome?.ok ? outcome.value.value : outcome?.error.message
}

test('a value is the payload, or what a pointer, its neighbours, its field or its bytes say', () => {
  assert.equal(value('23.5', {}), '23.5')
  assert.equal(value('{"a":[{"b":true}]}', { pointer: '/a/0/b' }), true)
  assert.equal(value('{"a":9007199254740993}', { pointer: '/a' }), 9_007_199_254_740_993n)
  assert.equal(value('T=23.5C;H=40', { between: { start: 'T=', end: 'C' } }), '23.5')
  assert.equal(value('1; 2 ;3', { separator: ';', index: 1 }), '2')
  assert.equal(value('{"a":"1,2"}', { pointer: '/a', separator: ',', index: 1 }), '2')
  assert.equal(value(Uint8Array.of(0, 0xff, 0xfe), { binary: { offset: 1, type: 'int16' } }), -2)
  assert.equal(value(Uint8Array.of(0x39, 0x30), { binary: { type: 'uint16', littleEndian: true } }), 12_345)
  assert.equal(value('{"on":1}', { pointer: '/on', match: { '1': 'true', '0': 'false' } }, 'BOOLEAN'), true)
})

test('what is not there is said with the place where it was looked for', () => {
  assert.match(String(value('{"a":1}', { pointer: '/b' })), /has nothing at \/b: "\{"a":1\}"/)
  assert.match(String(value('x', { pointer: '/b' })), /is no JSON: "x"/)
  assert.match(String(value('{"a":null}', { pointer: '/a' })), /has null at \/a/)
  assert.match(String(value('a;b', { separator: ';', index: 2 })), /has no field 2/)
  assert.match(String(value('HALF', { match: { ON: 'true' } }, 'BOOLEAN')), /"HALF" is none of the words in match: ON/)
  assert.match(String(value(Uint8Array.of(0xff, 0xfe), {})), /is no UTF-8 text/)
  assert.match(String(value(Uint8Array.of(1), { binary: { type: 'int32' } })), /has 1 bytes, not the 4/)
  assert.match(String(value('', {})), /is empty/)
  assert.equal(readingOf(message('{"a":1}'), 'INT', visitor({ pointer: '/b', missing: 'ignore' })), undefined)
})

test('times are taken as they are written, and what is old or was kept is in doubt', () => {
  const cases = [
    ['2024-05-01T10:00:00Z', 'auto', 1_714_557_600_000],
    ['2024-05-01 12:00:00+0200', 'iso', 1_714_557_600_000],
    [1_714_557_600, 'auto', 1_714_557_600_000],
    ['1714557600000', 'auto', 1_714_557_600_000],
    [90_000, 'ms', 90_000],
    ['yesterday', 'auto', undefined],
    [true, 'auto', undefined],
  ] as const
  for (const [text, format, expected] of cases) assert.equal(parseTime(text, format), expected, String(text))
  const quality = (payload: string, isRetained: boolean, config: JsonObject) => {
    const outcome = readingOf(message(payload, isRetained), 'INT', visitor({ pointer: '/v', ...config }))
    return outcome?.ok ? (outcome.value.quality ?? 'good') : outcome
  }
  const old = JSON.stringify({ v: 1, at: NOW - 5000 })
  assert.equal(quality(old, false, { time: '/at', maxAge: 6000 }), 'good')
  assert.equal(quality(old, false, { time: '/at', maxAge: 4000 }), 'uncertain')
  assert.equal(quality('{"v":1}', true, {}), 'good')
  assert.equal(quality('{"v":1}', true, { maxAge: 10 }), 'uncertain')
  assert.equal(quality('{"v":1}', true, { retained: 'uncertain' }), 'uncertain')
  assert.equal(quality('{"v":1}', true, { retained: 'ignore' }), undefined)
})

test('a command is its template with the value as text, JSON or number, and the words of match', () => {
  const fill = (template: string, sent: string | number | boolean, match?: Readonly<Record<string, string>>) =>
    fillPayload(template, match, {
      value: sent,
      type: typeof sent === 'boolean' ? 'BOOLEAN' : 'STRING',
      id: '7',
      now: NOW,
      topicPart: (name) => `<${name}>`,
    })
  assert.equal(fill('{"v": {value:json}, "id": "{id}"}', 'say "hi"'), '{"v": "say \\"hi\\"", "id": "7"}')
  assert.equal(fill('{value:json}', 20.5), '20.5')
  assert.equal(fill('{value:number}', true), '1')
  assert.equal(fill('{value}', false, { ON: 'true', OFF: 'false' }), 'OFF')
  assert.equal(fill('{time:s} {device}', 'x'), '1700000000 <device>')
  assert.throws(() => fill('{value}', true, { OFF: 'false' }), /true has no word in match/)
})

test('an answer is for its command only, and says yes or no as it is told', () => {
  const judge = (payload: string, ack: JsonObject) => {
    const parsed = visitor({ commandTopic: 'c', ack: { by: 'answer', topic: 'r', ...ack } })
    return judgeAnswer(message(payload), '7', parsed.ack ?? assert.fail())
  }
  assert.equal(judge('{"id":"8"}', { correlation: '/id' }), undefined)
  assert.deepEqual(judge('{"id":7}', { correlation: '/id' }), { failure: undefined })
  assert.deepEqual(judge('{"error":"too hot"}', { errorPointer: '/error' }), { failure: 'the device answers: too hot' })
  assert.deepEqual(judge('{"error":null}', { errorPointer: '/error' }), { failure: undefined })
  assert.deepEqual(judge('ERR 5', { error: ['ERR*'] }), { failure: 'the device answers: ERR 5' })
  assert.deepEqual(judge('eh', { ok: ['OK'] }), { failure: 'the device answers eh, not OK' })
  for (const [text, pattern, expected] of [
    ['abc', 'a*c', true],
    ['ac', 'a*c', true],
    ['a', 'a*a', false],
    ['xabcx', '*b*', true],
    ['b', 'a', false],
  ] as const) {
    assert.equal(matches(text, pattern), expected, `${text} ${pattern}`)
  }
})
