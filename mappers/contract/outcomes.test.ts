import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DeviceSilentError, noConnection, readEach, type VisitId, writeEach } from './index.ts'

const idOf = (text: string): VisitId => asId(text)
function asId(text: string): VisitId
function asId(text: string): string {
  return text
}
const visits = ['a', 'b', 'c'].map((text) => ({ id: idOf(text), text }))
const never = new AbortController().signal

it('keeps the failure of one visit to itself', async () => {
  const results = await readEach(visits, never, ({ text }) => {
    if (text === 'b') throw new Error('no b')
    return text === 'c' ? { value: 3, sourceTime: 7 } : 'one'
  })
  assert.deepEqual(results.get(idOf('a')), { ok: true, value: { value: 'one' } })
  assert.deepEqual(results.get(idOf('b')), { ok: false, error: new Error('no b') })
  assert.deepEqual(results.get(idOf('c')), { ok: true, value: { value: 3, sourceTime: 7 } })
})

it('takes no value for a failure of that visit', async () => {
  const results = await readEach(visits, never, ({ text }) => ({ a: null, b: 2 })[text])
  assert.deepEqual(results.get(idOf('a')), { ok: false, error: new Error('the device has no such value') })
  assert.deepEqual(results.get(idOf('b')), { ok: true, value: { value: 2 } })
  assert.equal(results.get(idOf('c'))?.ok, false)
})

it('passes on that the device is silent: then no visit of it can be read', async () => {
  const silent = new DeviceSilentError('nothing came')
  const read = readEach(visits, never, () => {
    throw silent
  })
  await assert.rejects(read, silent)
})

it('answers a write with nothing', async () => {
  assert.deepEqual([...(await writeEach(visits, never, () => 'ignored')).values()][0], { ok: true, value: undefined })
})

it('throws instead of blaming visits when the signal aborts', async () => {
  const stop = new AbortController()
  const reading = readEach(visits, stop.signal, () => {
    stop.abort(new Error('over'))
    throw new Error('the socket was closed')
  })
  await assert.rejects(reading, { message: 'over' })
})

it('has a connection for protocols without one', async () => {
  await (await noConnection())[Symbol.asyncDispose]()
})
