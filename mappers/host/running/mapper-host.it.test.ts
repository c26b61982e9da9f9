import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import {
  assignedDevices,
  type DeviceReport,
  type DeviceStateReport,
  deviceOrders,
  mappersLoaded,
  reportDevices,
  reportStates,
} from '../../../schemas/index.ts'
import { simulateSample } from '../../simulators/testing/simulate-sample.ts'
import { createMapperHostModule } from './module.ts'
import { builtInMappers, type MapperSource } from './source.ts'

/** The real host module with a twin that writes down what it hears; `until` waits for the next thing that fits. */
async function startEdge(
  t: TestContext,
  isolation: 'worker' | 'none',
  mappers: readonly MapperSource[] = builtInMappers,
) {
  const log = memoryLogger()
  const clock = systemClock
  const bus = createLocalBus(clock, log)
  const heard: (DeviceReport | DeviceStateReport)[] = []
  let tell: () => void = () => undefined
  const hear = async (list: readonly (DeviceReport | DeviceStateReport)[]) => {
    heard.push(...list)
    tell()
    return { unknown: [] }
  }
  bus.serve(reportDevices, hear)
  bus.serve(reportStates, hear)
  const folder = await mkdtemp(join(tmpdir(), 'skerry-mappers-'))
  const scope = createScope('MapperHost', { clock, log, deadline: seconds(10), onCrash: assert.ifError })
  t.after(async () => {
    await scope[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const module = createMapperHostModule({
    bus,
    mappers,
    clock,
    random: systemRandom,
    log,
    metrics: silentMetrics,
    isolation,
    folder,
    silence: seconds(2.5),
  })
  await module.start(scope)
  let at = 0
  const until = async <T>(
    what: string,
    find: (item: DeviceReport | DeviceStateReport) => T | undefined,
  ): Promise<T> => {
    const signal = AbortSignal.timeout(10_000)
    for (;;) {
      for (; at < heard.length; at++) {
        const item = heard[at]
        const found = item && find(item)
        if (found !== undefined) {
          at++
          return found
        }
      }
      await new Promise<void>((resolve, reject) => {
        tell = resolve
        signal.addEventListener(
          'abort',
          () => reject(new Error(`nobody told: ${what}; heard ${JSON.stringify(heard)}`)),
          {
            once: true,
          },
        )
      })
    }
  }
  const untilState = (state: string) =>
    until(`state ${state}`, (item) => ('state' in item && item.state === state ? item : undefined))
  const untilValue = (property: string, matches: (value: string) => boolean) =>
    until(`a value of ${property}`, (item) =>
      'readings' in item
        ? item.readings.find((each) => each.property === property && each.value !== undefined && matches(each.value))
        : undefined,
    )
  return { bus, log, until, untilState, untilValue }
}

async function pumpAt(port: number, protocolName = 'modbus') {
  const folder = new URL('../../../samples/pump/', import.meta.url)
  const device = parse(await readFile(new URL('device.yaml', folder), 'utf8'))
  const model = parse(await readFile(new URL('model.yaml', folder), 'utf8'))
  device.spec.protocol = { protocolName, configData: { ...device.spec.protocol.configData, port } }
  return { device, model }
}

for (const isolation of ['worker', 'none'] as const) {
  it(`drives the sample pump over Modbus TCP (isolation ${isolation})`, async (t) => {
    const pump = await simulateSample(t, 'pump', systemClock)
    const edge = await startEdge(t, isolation)
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
  const edge = await startEdge(t, 'none')
  edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(pump.port, 'modbus-tcp'))
  await edge.untilState('online')
  await pump.simulator.fault({ kind: 'disconnect' })
  const began = systemClock.monotonic()
  await edge.untilState('offline')
  assert.ok(systemClock.monotonic() - began < 1500)
})

it('says that nobody on this node speaks a protocol', async (t) => {
  const edge = await startEdge(t, 'worker')
  edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(1, 'profinet'))
  const unknown = await edge.untilState('unknown')
  assert.match(unknown.reason ?? '', /no mapper for protocol profinet/)
})

for (const [crime, reason] of [
  ['throws', /nobody caught this/],
  ['hangs', /showed no life/],
] as const) {
  it(`starts a mapper again that ${crime}`, async (t) => {
    const entry = new URL(`../testing/${crime}.ts`, import.meta.url)
    const edge = await startEdge(t, 'worker', [{ protocol: 'modbus', entry }])
    edge.bus.set(assignedDevices, 'default/pump-1', await pumpAt(1))
    const unknown = await edge.untilState('unknown')
    assert.match(unknown.reason ?? '', reason)
    assert.equal(edge.bus.get(mappersLoaded, 'modbus')?.state, 'restarting')
    if (crime === 'throws') await edge.untilState('unknown')
  })
}

it('a stop does not wait for a mapper that hangs while it is loaded', { timeout: 20_000 }, async () => {
  const [clock, log] = [systemClock, memoryLogger()]
  const scope = createScope('MapperHost', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const entry = new URL('data:text/javascript,setInterval(() => undefined, 1000); await new Promise(() => undefined)')
  const mappers = [{ protocol: 'modbus', entry }]
  const ground = { clock, random: systemRandom, log, metrics: silentMetrics, folder: '/nowhere' }
  const starting = createMapperHostModule({ bus: createLocalBus(clock, log), mappers, ...ground, isolation: 'worker' })
  const started = assert.rejects(starting.start(scope), { message: 'MapperHost is stopping' })
  await scope[Symbol.asyncDispose]()
  await started
  assert.deepEqual(log.lines, [], 'the mapper is not blamed for it')
})
