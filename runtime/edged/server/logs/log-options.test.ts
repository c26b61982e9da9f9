import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logOptions } from './log-options.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const read = (query: string) => logOptions(new URLSearchParams(query), NOW)
const WHOLE = { follow: false, timestamps: false }

test('PodLogOptions are read as a kubelet reads them', () => {
  assert.deepEqual(read(''), { isPrevious: false, request: WHOLE })
  assert.deepEqual(read('follow=true&previous=1&timestamps=false&tailLines=7&limitBytes=99'), {
    isPrevious: true,
    request: { ...WHOLE, follow: true, tailLines: 7, limitBytes: 99 },
  })
  assert.deepEqual(read('sinceSeconds=60&stream=Stderr').request, { ...WHOLE, since: NOW - 60_000, stream: 'stderr' })
  assert.deepEqual(read('sinceTime=2026-01-31T11:00:00%2B02:00&stream=All').request, {
    ...{ ...WHOLE, since: Date.parse('2026-01-31T09:00:00Z') },
  })
  assert.deepEqual([read('tail=3').request.tailLines, read('tail=all').request.tailLines], [3, undefined])
})

test('options that are none are refused with a status', () => {
  const status = (query: string) => {
    try {
      return read(query)
    } catch (error) {
      return Object(error).status
    }
  }
  for (const query of ['tailLines=x', 'sinceTime=yesterday', 'limitBytes=1e3', `tailLines=${'9'.repeat(30)}`])
    assert.equal(status(query), 400, query)
  for (const query of [
    ...['tailLines=-1', 'limitBytes=0', 'sinceSeconds=0', 'sinceSeconds=1&sinceTime=2026-01-31T11:00:00Z'],
    ...['stream=Both', 'stream=Stdout&tailLines=1'],
  ])
    assert.equal(status(query), 422, query)
})
