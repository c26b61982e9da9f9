import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame, Json } from '../../schemas/index.ts'
import { contentOf, decodeFrame, encodeFrame } from './frame-codec.ts'

const word = fc.string({ minLength: 1 })
/** A key `__proto__` is not taken over from a peer. */
const json: fc.Arbitrary<Json> = fc
  .json()
  .filter((text) => !text.includes('__proto__'))
  .map((text): Json => JSON.parse(text))
const optional = <K extends string>(...keys: readonly K[]) => Object.fromEntries(keys.map((key) => [key, word]))
const frames: fc.Arbitrary<Frame> = fc.record({
  header: fc.record(
    {
      msg_id: word,
      timestamp: fc.integer({ min: 0 }),
      sync: fc.constant(true),
      ...optional('parent_msg_id', 'resourceversion', 'type'),
    },
    { requiredKeys: ['msg_id', 'timestamp'] },
  ),
  route: fc.record(optional('source', 'destination', 'group', 'operation', 'resource'), { requiredKeys: [] }),
  content: json,
})

test('decoding what was encoded gives the same frame', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      assert.deepEqual(decodeFrame(encodeFrame(frame)), { ok: true, frame: JSON.parse(JSON.stringify(frame)) })
    }),
  )
})

test('no text makes decoding throw', () => {
  const almost = fc.json().map((text) => `{"header":${text},"route":${text},"content":${text}}`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), almost), (text) => {
      const decoded = decodeFrame(text)
      assert.equal(decoded.ok ? typeof decoded.frame.header.msg_id : typeof decoded.reason, 'string')
    }),
  )
})

test('a frame is written as KubeEdge writes it: content always, everything else only when it is not empty', () => {
  const text = encodeFrame({
    header: { msg_id: 'a', parent_msg_id: '', timestamp: 5, resourceversion: '', sync: false, type: '' },
    route: { source: 'edged', destination: '', group: 'meta', operation: 'query', resource: 'null/node/n' },
    content: null,
  })
  assert.equal(
    text,
    '{"header":{"msg_id":"a","timestamp":5},"route":{"source":"edged","group":"meta","operation":"query","resource":"null/node/n"},"content":null}',
  )
})

test('unknown keys are ignored, wrong ones left out, and a missing content is null', () => {
  const decoded = decodeFrame(
    '{"header":{"msg_id":"a","timestamp":"x","new":1,"type":7},"more":[],"route":{"group":3}}',
  )
  assert.deepEqual(decoded, { ok: true, frame: { header: { msg_id: 'a', timestamp: 0 }, route: {}, content: null } })
})

test('what is no frame says why', () => {
  const reasonOf = (text: string) => {
    const decoded = decodeFrame(text)
    return decoded.ok ? undefined : decoded.reason
  }
  assert.equal(reasonOf('{'), 'not JSON')
  assert.equal(reasonOf('[]'), 'no header')
  assert.equal(reasonOf('{"header":{}}'), 'no msg_id')
})

test('content is read inline and from a text that holds it', () => {
  const withContent = (content: Json): Frame => ({ header: { msg_id: 'a', timestamp: 0 }, route: {}, content })
  assert.deepEqual(contentOf(withContent({ a: 1 })), { a: 1 })
  assert.deepEqual(contentOf(withContent('{"a":1}')), { a: 1 })
  assert.equal(contentOf(withContent('OK then')), undefined)
})

test('a text that holds JSON is judged as a frame is: neither depth, numbers nor names in it do harm', () => {
  const withText = (content: string): Frame => ({ header: { msg_id: 'a', timestamp: 0 }, route: {}, content })
  assert.equal(contentOf(withText(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), undefined)
  assert.equal(contentOf(withText(`[${'[],'.repeat(1_000_000)}0]`)), undefined)
  const named = contentOf(withText('{"__proto__":{"polluted":true},"a":1}'))
  assert.deepEqual(Object.getOwnPropertyNames(named), ['a'])
})
