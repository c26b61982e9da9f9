import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseSide } from './one-side.ts'

const wish = new Map([['speed', { expected: '1' }]])
const report = new Map([['speed', { actual: '1' }]])
const unread = new Map([['speed', { actualQuality: 'bad' as const }]])
const both = new Map([['speed', { expected: '1', actual: '2' }]])
const gone = new Map([['speed', null]])

test('each side of a twin is changed by who may, and only a client of both deletes', () => {
  for (const twin of [wish, report, unread, both, gone]) assert.equal(refuseSide(twin, undefined), undefined)
  assert.equal(refuseSide(wish, 'desired'), undefined)
  for (const twin of [report, unread]) assert.equal(refuseSide(twin, 'reported'), undefined)
  for (const twin of [report, unread, both, gone])
    assert.match(refuseSide(twin, 'desired') ?? '', /^speed: this client/)
  for (const twin of [wish, both, gone]) assert.match(refuseSide(twin, 'reported') ?? '', /^speed: this client/)
})
