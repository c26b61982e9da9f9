import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { ms } from '../../platform/time/index.ts'
import type { Report } from '../contract/index.ts'
import mapper from './index.ts'
import { deviceOf, fakeLine, orderOf, visitOf } from './testing/fake-line.ts'

const { signal } = new AbortController()

/** What a promise has come to by now. */
function watched<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown } = {}
  promise.then(
    (value) => Object.assign(seen, { value }),
    (error: unknown) => Object.assign(seen, { error }),
  )
  return seen
}

function messageOf({ error }: { readonly error?: unknown }): string {
  return error instanceof Error ? error.message : assert.fail('nothing was thrown')
}

test('a frame ends after the pause, and what comes earlier belongs to it', async () => {
  const { clock, stream, device, connection } = fakeLine({ framing: { kind: 'silence', silence: 20 } })
  const told: unknown[] = []
  const report: Report = (_id, outcome) => told.push(outcome.ok ? outcome.value.value : outcome.error.message)
  const stop = new AbortController()
  const watching = connection.watch([visitOf('all', device, {})], report, stop.signal)
  stream.push('one ')
  await clock.advance(ms(19))
  for (const letter of 'frame') stream.push(letter)
  await clock.advance(ms(19))
  assert.deepEqual(told, [])
  assert.equal(clock.waiting, 1, 'however many pieces came')
  await clock.advance(ms(1))
  assert.deepEqual(told, ['one frame'])
  stream.push('late')
  await clock.advance(ms(5))
  stop.abort()
  await watching
  assert.equal(clock.waiting, 0)
})

test('the next request waits for the gap after an answer', async () => {
  const { clock, sent, device, connection } = fakeLine({ gap: 50 }, (request) => `${request.trim()}!\n`)
  const visits = ['a', 'b'].map((name) => visitOf(name, device, { request: name }))
  const reading = watched(connection.read(visits, signal))
  await clock.advance(ms(49))
  assert.deepEqual(sent, [{ at: 0, text: 'a\n' }])
  await clock.advance(ms(1))
  assert.deepEqual(sent[1], { at: 50, text: 'b\n' })
  assert.equal(reading.value?.size, 2)
})

test('a device that sends by itself is away soon after its idle time, and back with its next frame', async () => {
  const { clock, stream, device, connection } = fakeLine({ idleTimeout: 1000 })
  const presence: string[] = []
  const report: Report = Object.assign(() => undefined, {
    presence: (where: string, reason = '') => void presence.push(`${where} ${reason}`.trim()),
  })
  const stop = new AbortController()
  const watching = connection.watch([visitOf('t', device, { match: 'T' })], report, stop.signal)
  await clock.advance(ms(900))
  stream.push('T1\n')
  await clock.advance(ms(950))
  assert.deepEqual(presence, ['here'])
  await clock.advance(ms(150))
  assert.deepEqual(presence, ['here', 'away the device has sent nothing for 1000 ms'])
  stream.push('noise\nT2\n')
  await clock.advance(ms(1))
  assert.equal(presence.at(-1), 'here')
  stop.abort()
  await watching
  const before = presence.length
  await clock.advance(ms(5000))
  assert.equal(presence.length, before, 'nobody looks after it any longer')
  assert.equal(clock.waiting, 0)
})

test('devices on one port have the same line settings, where there are any', () => {
  const conflict = mapper.conflict ?? assert.fail()
  const [slow, fast] = [deviceOf({ baudRate: 9600 }), deviceOf({ baudRate: 19_200 })]
  assert.equal(conflict(slow, deviceOf({ address: '2' })), undefined)
  assert.deepEqual(conflict(fast, slow), {
    pointer: '/baudRate',
    message: 'is 19200, but 9600 for other devices on /dev/fake: a line has one setting',
  })
  assert.equal(conflict(deviceOf({ parity: 'even' }), slow)?.pointer, '/parity')
  const path = 'tcp://127.0.0.1:4001'
  const [here, there] = [deviceOf({ path, baudRate: 300 }), deviceOf({ path: `${path}/` })]
  assert.equal(mapper.connectionKey(here), mapper.connectionKey(there))
  assert.equal(conflict(here, there), undefined)
})

test('dead devices among others never cost the port; one that is asked five times while nobody is heard does', async () => {
  const { clock, connection } = fakeLine({})
  const read = async (address: string) => {
    const device = deviceOf({ address, timeout: 100, retries: 0, drain: 0 })
    const reading = watched(connection.read([visitOf('v', device, { request: '{address}?' })], signal))
    await clock.advance(ms(100))
    return messageOf(reading)
  }
  for (let round = 0; round < 4; round++) {
    for (const address of ['1', '2', '3']) assert.equal(await read(address), 'the device did not answer 1 request')
  }
  assert.equal(await read('2'), 'not a byte came in answer to 5 requests: the port is opened anew')
})

test('what came instead of an answer is part of the reason', async () => {
  const checksum = { kind: 'xor8', format: 'hex', before: '*' }
  const { clock, connection, device, log } = fakeLine(
    { timeout: 100, retries: 0, drain: 0, framing: { checksum } },
    () => 'OTHER*00\nB*42\n',
  )
  const reading = watched(connection.read([visitOf('v', device, { request: 'v', match: 'v' })], signal))
  await clock.advance(ms(100))
  assert.equal(
    messageOf(reading),
    'the device did not answer 1 request; instead there came 14 bytes, with 1 other frame and 1 damaged frame in them',
  )
  assert.deepEqual(log.messages('warn'), ['Damaged frames come over a serial line'])
})

test('a refused write is told with what came instead of its acknowledgement', async () => {
  const { clock, connection, device } = fakeLine({ timeout: 100, drain: 0 }, () => 'eh\n')
  const visit = visitOf('v', device, { write: 'set {value}', ack: 'OK' })
  const writing = watched(connection.write([orderOf(visit, 'x')], signal))
  await clock.advance(ms(100))
  assert.match(messageOf(writing), /did not answer 1 request/)
})

test('nothing piles up on a line that lives for long', async () => {
  const { connection, device, line } = fakeLine({}, () => 'x\n')
  const visit = visitOf('v', device, { request: 'v' })
  for (let turn = 0; turn < 100; turn++) await connection.read([visit], signal)
  assert.equal(getEventListeners(line.lost, 'abort').length, 0)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a line that is lost ends what waits for an answer, and its watches', async () => {
  const { connection, device, stream } = fakeLine({})
  const reading = connection.read([visitOf('v', device, { request: 'v' })], signal)
  const watching = connection.watch([], () => undefined, signal)
  stream.destroy(new Error('pulled'))
  await Promise.all([assert.rejects(reading, /pulled/), assert.rejects(watching, /pulled/)])
})
