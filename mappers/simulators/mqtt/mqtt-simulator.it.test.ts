import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { systemClock } from '../../../platform/time/index.ts'
import { hostMqtt } from '../../mqtt/testing/hosted.ts'
import { simulateSample } from '../testing/simulate-sample.ts'

async function plug(t: TestContext) {
  const { simulator, device } = await simulateSample(t, 'plug', systemClock)
  const read = async (file: string) =>
    parse(await readFile(new URL(`../../../samples/plug/${file}.yaml`, import.meta.url), 'utf8'))
  const [model, manifest] = [await read('model'), await read('device')]
  // The broker of the simulator is that of the node here.
  const host = hostMqtt(t, { url: simulator.url })
  host.assign({ device: { ...manifest, metadata: { ...manifest.metadata, uid: 'u', generation: 1 } }, model })
  await host.state('plug-1', 'online')
  return { simulator, device, ...host }
}

test('the simulated plug is a device on the broker of the node: its values come by themselves', async (t) => {
  const { value, until, readings, simulator } = await plug(t)
  await value('plug-1', 'relay', 'true')
  await value('plug-1', 'limit', '500')
  const power = await until('a power', () => readings('plug-1', 'power').find((each) => Number(each.value) > 0))
  assert.ok(Math.abs(power.sourceTime - systemClock.now()) < 60_000)
  assert.equal(power.quality, 'good')
  assert.equal(simulator.connections, 1)
  assert.deepEqual(
    simulator.configData,
    { broker: simulator.url },
    'local is for a broker that is known to be that of the node',
  )
})

test('it is set, and says so by its state or by an answer that repeats the id', async (t) => {
  const { order, written, until, readings, device, reports } = await plug(t)
  order('plug-1', 'relay', 'false')
  assert.equal((await written('relay')).failure, undefined)
  await until('less power', () => Number(readings('plug-1', 'power').at(-1)?.value) < 100)
  order('plug-1', 'limit', '800', 'o-2')
  assert.equal((await written('limit')).failure, undefined)
  assert.equal(device.read('limit'), 800)
  assert.ok(
    reports.some(({ readings }) =>
      readings.some(({ property, value: said }) => property === 'limit' && said === '800'),
    ),
  )
})

test('its faults are those of a device: it vanishes with its last will, comes back, and is silent', async (t) => {
  const { simulator, states, state, order, written } = await plug(t)
  let from = states.length
  await simulator.fault({ kind: 'disconnect' })
  assert.match((await state('plug-1', 'offline', from)).reason ?? '', /offline.*plugs\/plug-1\/status/)
  from = states.length
  await simulator.fault(undefined)
  await state('plug-1', 'online', from)
  await simulator.fault({ kind: 'silence' })
  order('plug-1', 'relay', 'false')
  assert.match((await written('relay')).failure?.message ?? '', /did not acknowledge the command within 2000 ms/)
})
