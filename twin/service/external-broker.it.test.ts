import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { createLocalBus } from '../../platform/bus/index.ts'
import { startExternal, startMosquitto, until } from '../../platform/bus/mqtt/testing/index.ts'
import { silentMetrics } from '../../platform/health/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../platform/log/index.ts'
import { openTestStore } from '../../platform/store/testing/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { assignedDevices, deviceIdOf, listed } from '../../schemas/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { createDeviceTwinModule, twinStoreDomain } from '../index.ts'
import { LAMP, lamp, lampModel } from '../testing/index.ts'

test('unmodified mosquitto clients get, update and hear of a twin through a mosquitto that runs elsewhere', {
  skip: needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub'),
  timeout: 60_000,
}, async (t) => {
  const scope = createScope('DeviceTwin', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const broker = await startMosquitto(t)
  const edge = await startExternal(t, broker)
  const store = await openTestStore(t, [twinStoreDomain])
  const bus = createLocalBus(clock, log)
  const device = lamp({ brightness: '60' })
  bus.set(assignedDevices, deviceIdOf(device.metadata), { device, model: lampModel() })
  bus.set(listed, 'devices', true)
  const { eventBus } = edge
  const ports = { store, bus, eventBus, nodeName: 'edge-1', clock, random, log, metrics: silentMetrics }
  await createDeviceTwinModule(ports).start(scope)
  await edge.up()
  await broker.logged(/hub-client-sub-\d+ 1 \$hw\/events\/device\/\+\/\+\/twin\/\+/)
  await broker.logged(/Received PUBLISH from hub-client-pub-\d+ \(d0, q1, r1, m\d+, 'twins\/default\/lamp'/)

  const at = ['-h', '127.0.0.1', '-p', String(broker.port), '-q', '1']
  const listener = spawn('mosquitto_sub', [
    ...at,
    '-i',
    'listener',
    '-t',
    `${LAMP}/#`,
    '-t',
    'twins/#',
    '-F',
    '%r %t %p',
  ])
  t.after(() => listener.kill())
  let printed = ''
  listener.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  await broker.logged(/Sending SUBACK to listener/)
  const say = async (topic: string, text: string) => {
    const publisher = spawn('mosquitto_pub', [...at, '-t', topic, '-m', text], { stdio: 'ignore' })
    assert.deepEqual(await once(publisher, 'close'), [0, null])
  }
  const heard = async (start: string) => {
    await until(() => lineOf(start) !== undefined)
    return JSON.parse(lineOf(start)?.slice(start.length) ?? '')
  }
  const lineOf = (start: string) =>
    printed
      .split('\n')
      .slice(0, -1)
      .find((line) => line.startsWith(start))

  await say(`${LAMP}/twin/get`, '{"event_id":"g"}')
  const got = await heard(`0 ${LAMP}/twin/get/result `)
  assert.deepEqual([got.event_id, got.twin.brightness.expected.value], ['g', '60'])
  await say(`${LAMP}/twin/update`, '{"event_id":"u","twin":{"brightness":{"actual":{"value":"40"}}}}')
  const result = await heard(`0 ${LAMP}/twin/update/result `)
  assert.deepEqual([result.event_id, result.twin.brightness.actual.value], ['u', '40'])
  const delta = await heard(`0 ${LAMP}/twin/update/delta `)
  assert.deepEqual(delta.delta, { brightness: '60' })
  const document = await heard(`0 ${LAMP}/twin/update/document `)
  assert.equal(document.twin.brightness.current.actual.value, '40')
  await say(`${LAMP}/state/update`, '{"event_id":"s","state":"online"}')
  assert.equal((await heard(`0 ${LAMP}/state/update/result `)).device.state, 'online')

  // The plain view, retained and live.
  assert.equal((await heard('1 twins/default/lamp ')).device, 'default/lamp')
  assert.equal(await heard('0 twins/default/lamp/brightness '), 40)
  bus.remove(assignedDevices, 'default/lamp')
  await broker.logged(
    /Received PUBLISH from hub-client-pub-\d+ \(d0, q1, r1, m\d+, '\$skerry\/edge\/edge-1\/shown\/twins\/default\/lamp', \.\.\. \(0 bytes\)/,
  )
  const late = spawn('mosquitto_sub', [...at, '-i', 'late', '-t', 'twins/#', '-t', 'end', '-C', '1', '-F', '%r %t'])
  let lateHeard = ''
  late.stdout.on('data', (chunk: Buffer) => {
    lateHeard += chunk.toString()
  })
  const closed = once(late, 'close')
  await broker.logged(/Sending SUBACK to late/)
  await say('end', '')
  await closed
  assert.equal(lateHeard, '0 end\n')
})
