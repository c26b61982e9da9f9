import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { puback, pubcomp, pubrec, pubrel } from '../testing/bytes.ts'
import { restartingBroker } from '../testing/restarting-broker.ts'

const keeper = { id: 'keeper', clean: false }
const hasMosquitto = spawnSync('mosquitto_pub', ['--help']).error === undefined

describe('kill -9 of the broker', { timeout: 60_000 }, () => {
  it('loses no acknowledged message of a session, no subscription and nothing retained', async (t) => {
    const broker = await restartingBroker(t)
    const before = await broker.client(keeper)
    assert.equal(await before.client.subscribe(['a/#', 2], ['r', 1]), 'suback id77 2,1')
    await before.client.leave()
    const { client: says } = await broker.client()
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1)
    for (const id of numbers) says.publish('a/b', String(id), { qos: 1 + (id % 2), id })
    says.publish('r', 'kept', { qos: 1, id: 100, retain: true })
    says.publish('q', 'at QoS 2', { qos: 2, id: 101, retain: true })
    assert.equal((await says.take(52)).length, 52)
    await broker.restart()

    const after = await broker.client(keeper)
    assert.equal(after.answer, 'connack 0 present')
    const expected = numbers.map((id) => `publish a/b ${id} qos${1 + (id % 2)}`)
    assert.deepEqual(await after.client.take(51), [...expected, 'publish r kept qos1'])
    assert.equal(await after.client.subscribe(['q', 2], ['r', 0]), 'suback id77 2,0')
    const retained = ['publish q at QoS 2 qos2 retain', 'publish r kept qos0 retain']
    assert.deepEqual((await after.client.take(2)).toSorted(), retained)
  })

  it('keeps which messages were under way: DUP, the same packet id, PUBREL after PUBREC', async (t) => {
    const broker = await restartingBroker(t)
    const { client: before } = await broker.client(keeper)
    await before.subscribe(['a', 2])
    const { client: says } = await broker.client()
    const ids: number[] = []
    for (const [index, qos] of [1, 2, 2].entries()) {
      says.publish('a', String(index), { qos, id: index + 1 })
      await before.next()
      ids.push(before.lastId)
    }
    await says.take(3)
    before.send(pubrec(ids[2] ?? 0))
    assert.equal(await before.next(), `pubrel id${ids[2]}`)
    await broker.restart()

    const { client: after } = await broker.client(keeper)
    assert.deepEqual([await after.next(), after.lastId], ['publish a 0 qos1 dup', ids[0]])
    assert.deepEqual([await after.next(), after.lastId], ['publish a 1 qos2 dup', ids[1]])
    assert.equal(await after.next(), `pubrel id${ids[2]}`)
    after.send(puback(ids[0] ?? 0), pubrec(ids[1] ?? 0), pubcomp(ids[2] ?? 0))
    assert.equal(await after.next(), `pubrel id${ids[1]}`)
    after.send(pubcomp(ids[1] ?? 0))
    await after.sofar()
    await after.leave()
    const { client: last } = await broker.client(keeper)
    assert.deepEqual(await last.sofar(), [])
  })

  it('takes a QoS 2 message once, though its sender repeats it to the next process', async (t) => {
    const broker = await restartingBroker(t)
    const hears = await broker.client({ id: 'hears', clean: false })
    await hears.client.subscribe(['a', 1])
    await hears.client.leave()
    const { client: before } = await broker.client(keeper)
    before.publish('a', 'once', { qos: 2, id: 9 })
    assert.equal(await before.next(), 'pubrec id9')
    await broker.restart()

    const { client: after } = await broker.client(keeper)
    after.publish('a', 'once', { qos: 2, id: 9, dup: true })
    assert.equal(await after.next(), 'pubrec id9')
    after.send(pubrel(9))
    assert.equal(await after.next(), 'pubcomp id9')
    await broker.restart()
    const { client: later } = await broker.client(keeper)
    later.publish('a', 'another', { qos: 2, id: 9 })
    assert.equal(await later.next(), 'pubrec id9')
    const back = await broker.client({ id: 'hears', clean: false })
    assert.deepEqual(await back.client.take(2), ['publish a once qos1', 'publish a another qos1'])
    assert.deepEqual(await back.client.sofar(), [])
  })

  it('ends sessions and retained messages for good', async (t) => {
    const broker = await restartingBroker(t)
    const { client: before } = await broker.client(keeper)
    await before.subscribe(['a', 1])
    await before.leave()
    const { client: says } = await broker.client()
    says.publish('a', 'x', { qos: 1, id: 1, retain: true })
    says.publish('a', '', { qos: 1, id: 2, retain: true })
    await says.take(2)
    await (await broker.client({ id: 'keeper' })).client.leave()
    await broker.restart()
    const after = await broker.client(keeper)
    assert.equal(after.answer, 'connack 0')
    await after.client.subscribe(['#', 1])
    assert.deepEqual(await after.client.sofar(), [])
  })

  it('is survived by mosquitto_sub -c at QoS 1 and 2', { skip: !hasMosquitto }, async (t) => {
    const broker = await restartingBroker(t)
    const run = (command: string, ...options: readonly string[]) => {
      const at = ['-h', '127.0.0.1', '-p', String(broker.port)]
      const child = spawn(command, [...at, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
      t.after(() => child.kill())
      let printed = ''
      child.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
      return once(child, 'close').then(([code]: unknown[]) => ({ code, printed }))
    }
    for (const qos of ['1', '2']) {
      const session = ['-c', '-i', `m${qos}`, '-q', qos, '-t', 'm/#']
      // -E: leave once the subscription stands.
      assert.equal((await run('mosquitto_sub', ...session, '-E')).code, 0)
    }
    for (const number of ['1', '2', '3']) {
      assert.equal((await run('mosquitto_pub', '-q', '2', '-t', 'm/x', '-m', number)).code, 0)
      await broker.restart()
    }
    assert.equal((await run('mosquitto_pub', '-q', '1', '-r', '-t', 'kept', '-m', 'retained')).code, 0)
    await broker.restart()
    for (const qos of ['1', '2']) {
      const { printed } = await run('mosquitto_sub', '-c', '-i', `m${qos}`, '-q', qos, '-t', 'm/#', '-C', '3')
      assert.equal(printed, '1\n2\n3\n')
    }
    assert.equal((await run('mosquitto_sub', '-t', 'kept', '-C', '1')).printed, 'retained\n')
  })
})
