import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { minutes, systemClock } from '../../../time/index.ts'
import { FakeClock } from '../../../time/testing/index.ts'
import { startRawBroker } from '../testing/raw-broker.ts'

const keeper = { id: 'keeper', clean: false }

test('clients with clean sessions make no file and no worker', async (t) => {
  const file = fileOf()
  const { client, broker } = await startRawBroker(t, { file })
  const one = await client()
  await one.subscribe(['#', 2])
  one.publish('a', 'x', { qos: 1 })
  await one.take(2)
  await broker.eventBus.publish('b', 'y', { qos: 1 })
  assert.equal(await one.next(), 'publish b y qos1')
  await one.drop()
  assert.ok(!existsSync(file))
  await client(keeper)
  assert.ok(existsSync(file), 'a session makes it')
})

test('a damaged file is set aside, named in the log, and the broker starts without', async (t) => {
  const file = fileOf()
  await writeFile(file, 'no database at all, but longer than a header of one hundred bytes'.repeat(20))
  const { raw, log } = await startRawBroker(t, { file })
  assert.equal(await raw().greet(keeper), 'connack 0')
  const beside = await readdir(join(file, '..'))
  assert.ok(
    beside.some((name) => name.includes('damaged')),
    beside.join(),
  )
  assert.ok(
    log.messages('error').some((line) => line.includes('damaged')),
    log.messages('error').join(),
  )
})

test('what cannot be made durable is not acknowledged', async (t) => {
  // A file where its folder should be.
  const folder = fileOf()
  await writeFile(folder, '')
  const file = join(folder, 'mqtt.db')
  const { client, raw } = await startRawBroker(t, { file })
  const says = await client()
  says.publish('r', 'x', { qos: 1, retain: true })
  assert.equal(await says.next(), 'closed')
  assert.equal(await raw().greet(keeper), 'closed', 'a session')
  const plain = await client()
  plain.publish('r', 'x', { qos: 1 })
  assert.equal(await plain.next(), 'puback id1', 'what needs no disk goes on')
  await rm(folder)
  await mkdir(folder)
  const again = await client()
  again.publish('r', 'x', { qos: 1, retain: true })
  assert.equal(await again.next(), 'puback id1', 'and all does once the disk is there')
})

test('a session whose client stays away too long ends, on disk too', async (t) => {
  const file = fileOf()
  const clock = new FakeClock(systemClock.now())
  const limits = { expireAfter: minutes(60) }
  const first = await startRawBroker(t, { file, limits, clock })
  await (await first.client({ id: 'away', clean: false })).leave()
  const stays = await first.client({ id: 'stays', clean: false })
  // The clean-up of the broker follows the end of the connection.
  await stays.sofar()
  await clock.advance(minutes(50))
  await (await first.client({ id: 'fresh', clean: false })).leave()
  await stays.sofar()
  await clock.advance(minutes(20))
  await stays.leave()
  await first.stop()
  const second = await startRawBroker(t, { file, limits })
  for (const [id, answer] of [
    ['away', 'connack 0'],
    ['fresh', 'connack 0 present'],
    ['stays', 'connack 0 present'],
  ]) {
    assert.equal(await second.raw().greet({ id: id ?? '', clean: false }), answer, id)
  }
})

test('a clean stop keeps what waits, without marking it as sent', async (t) => {
  const file = fileOf()
  const first = await startRawBroker(t, { file })
  const before = await first.client(keeper)
  await before.subscribe(['a', 1])
  await before.leave()
  await first.broker.eventBus.publish('a', 'x', { qos: 1 })
  await first.stop()
  const second = await startRawBroker(t, { file })
  const after = await second.client(keeper)
  assert.equal(await after.next(), 'publish a x qos1')
})

test('the edge publishes at the QoS and with the retain flag of its configuration', async (t) => {
  for (const [qos, retain] of [
    [0, false],
    [1, false],
    [2, true],
  ] as const) {
    const { client, broker, stop } = await startRawBroker(t, { qos, retain })
    const hears = await client()
    await hears.subscribe(['a', 2])
    await broker.eventBus.publish('a', 'x')
    assert.equal(await hears.next(), `publish a x qos${qos}`)
    const late = await client()
    await late.subscribe(['a', 2])
    assert.deepEqual(await late.sofar(), retain ? [`publish a x qos${qos} retain`] : [])
    await stop()
  }
})

function fileOf(): string {
  return join(temporaryFolder('skerry-mqtt-'), 'mqtt.db')
}
