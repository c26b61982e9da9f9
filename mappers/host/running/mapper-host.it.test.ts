import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { parse } from 'yaml'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { assignedDevices, deviceOrders, mappersLoaded } from '../../../schemas/index.ts'
import { simulateSample } from '../../simulators/testing/simulate-sample.ts'
import { runHost } from '../testing/running-host.ts'
import { createMapperHostModule } from './module.ts'

async function pumpAt(port: number, protocolName = 'modbus') {
  const folder = new URL('../../../samples/pump/', import.meta.url)
  const device = parse(await readFile(new URL('device.yaml', folder), 'utf8'))
  const model = parse(await readFile(new URL('model.yaml', folder), 'utf8'))
  device.spec.protocol = { protocolName, configData: { ...device.spec.protocol.configData, port } }
  return { device, model }
}

for (const isolation of ['worker', 'process', 'none'] as const) {
  it(`drives the sample pump over Modbus TCP (isolation ${isolation})`, async (t) => {
    const pump = await simulateSample(t, 'pump', systemClock)
    const edge = await runHost(t, isolation)
    assert.equal(edge.bus.get(mappersLoaded, 'modbus')?.state, 'idle')
    edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(pump.port))
    await edge.untilState('online')
    assert.equal(edge.bus.get(mappersLoaded, 'modbus')?.state, 'running')
    await edge.untilValue('temperature', (value) => /^\d\d(\.\d)?$/.test(value))

    edge.bus.set(deviceOrders, 'default/pump-1', { properties: { targetSpeed: { value: '1500', id: 'o-1' } } })
    const report = await edge.until('the write', (item) =>
      'writes' in item && item.writes.length > 0 ? item : undefined,
    )
    assert.deepEqual(report.writes, [{ property: 'targetSpeed', orderId: 'o-1', value: '1500' }])
    assert.equal(report.readings.find(({ property }) => property === 'targetSpeed')?.value, '1500')
    assert.equal(pump.device.read('targetSpeed'), 1500)
    await edge.untilValue('speed', (value) => Number(value) > 0)

    const began = systemClock.monotonic()
    await pump.simulator.fault({ kind: 'silence' })
    const offline = await edge.untilState('offline')
    assert.match(offline.reason ?? '', /no answer within/)
    assert.ok(systemClock.monotonic() - began < 3500, 'offline within a cycle and the call deadline')
    await pump.simulator.fault({ kind: 'disconnect' })
    await pump.simulator.fault(undefined)
    await edge.untilState('online')
    edge.bus.remove(assignedDevices, 'default/pump-1')
    assert.equal(edge.bus.get(mappersLoaded, 'modbus')?.state, 'idle')
  })
}

it('notices at once that the other end closed the connection', async (t) => {
  const pump = await simulateSample(t, 'pump', systemClock)
  const edge = await runHost(t, 'none')
  edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(pump.port, 'modbus-tcp'))
  await edge.untilState('online')
  await pump.simulator.fault({ kind: 'disconnect' })
  const began = systemClock.monotonic()
  await edge.untilState('offline')
  assert.ok(systemClock.monotonic() - began < 1500)
})

it('says that nobody on this node speaks a protocol', async (t) => {
  const edge = await runHost(t, 'worker')
  edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(1, 'profinet'))
  const unknown = await edge.untilState('unknown')
  assert.match(unknown.reason ?? '', /no mapper for protocol profinet/)
})

const HANGING = new URL('data:text/javascript,setInterval(() => undefined, 1000); await new Promise(() => undefined)')

it('a start and a stop do not wait for a mapper that hangs while it is loaded', { timeout: 20_000 }, async () => {
  const [clock, log] = [systemClock, memoryLogger()]
  const scope = createScope('MapperHost', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const ground = { clock, random: systemRandom, log, metrics: silentMetrics, folder: '/nowhere' }
  const bus = createLocalBus(clock, log)
  const builtIns = [{ protocol: 'modbus', entry: HANGING }]
  await createMapperHostModule({ bus, builtIns, ...ground, isolation: 'worker' }).start(scope)
  assert.equal(bus.get(mappersLoaded, 'modbus')?.state, 'idle')
  await scope[Symbol.asyncDispose]()
  assert.deepEqual(log.lines, [], 'the mapper is not blamed for it')
})
