import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from './kubernetes.ts'
import { refuseTimeToLive, TIME_TO_LIVE_ANNOTATION, timesToLive } from './time-to-live.ts'

const object = (text?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Device',
  metadata: { name: 'd', ...(text === undefined ? {} : { annotations: { [TIME_TO_LIVE_ANNOTATION]: text } }) },
})

const timeOf = (property: string, device?: string, model?: string) =>
  timesToLive(object(device), model === undefined ? undefined : object(model))(property)

test('a time to live is an amount and a unit', () => {
  for (const [text, time] of [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['366d', 366 * 86_400_000],
  ] as const)
    assert.equal(timeOf('p', text), time)
})

test('the device goes before its model, a name before *, and none takes away', () => {
  assert.equal(timeOf('p', undefined, 'p=10s, *=5m'), 10_000)
  assert.equal(timeOf('q', undefined, 'p=10s, *=5m'), 300_000)
  assert.equal(timeOf('p', '*=1m', 'p=10s'), 60_000)
  assert.equal(timeOf('p', 'p=none', 'p=10s'), undefined)
  assert.equal(timeOf('p'), undefined)
})

test('what is malformed says nothing, and is refused with what to write', () => {
  for (const text of [
    'p=10',
    'p=-1s',
    'p=10 s',
    'p=1e3s',
    'p=10S',
    'p=0s',
    'p=99ms',
    'p=367d',
    'p=',
    '=10s',
    'p',
    '',
  ]) {
    assert.equal(timeOf('p', text), undefined, text)
    assert.notEqual(refuseTimeToLive(text, ['p']), undefined, text)
  }
  assert.match(refuseTimeToLive('p=soon', ['p']) ?? '', /"soon".*500ms, 10s, 5m/)
  assert.match(refuseTimeToLive('q=10s', ['p']) ?? '', /names no property: q/)
  assert.equal(refuseTimeToLive('p=10s, *=none', ['p']), undefined)
})
