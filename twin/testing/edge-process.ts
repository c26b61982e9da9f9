import { createLocalBus } from '../../platform/bus/index.ts'
import { createEmbeddedBroker } from '../../platform/bus/mqtt/index.ts'
import { silentMetrics } from '../../platform/health/index.ts'
import { createScope, type Module } from '../../platform/lifecycle/index.ts'
import { silentLogger } from '../../platform/log/index.ts'
import { openStore } from '../../platform/store/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { assignedDevices, deviceIdOf, listed } from '../../schemas/index.ts'
import { createDeviceTwinModule, twinStoreDomain } from '../index.ts'
import { lamp, lampModel } from './edge.ts'

/**
 * A process to be killed: broker, store and DeviceTwin with one lamp on the file of its first argument. Sends its port to its
 * parent when it serves.
 */
const [, , file = ''] = process.argv
const log = silentLogger
const store = await openStore(file, [twinStoreDomain], { clock, log })
const bus = createLocalBus(clock, log)
const options = {
  host: '127.0.0.1',
  port: 0,
  anonymous: 'full',
  maxPacketBytes: 1_048_576,
  maxConnections: 10,
} as const
const broker = createEmbeddedBroker({ ...options, clock, log, metrics: silentMetrics })
const { eventBus } = broker
const common = { clock, random, log, metrics: silentMetrics }
const device = lamp()
bus.set(assignedDevices, deviceIdOf(device.metadata), { device, model: lampModel('1000000') })
bus.set(listed, 'devices', true)
await start(broker)
await start(createDeviceTwinModule({ store, bus, eventBus, nodeName: 'edge-1', ...common }))
process.send?.(broker.port)

function start(module: Module): Promise<void> {
  const onCrash = (error: unknown) => {
    throw error
  }
  return module.start(createScope(module.name, { clock, log, deadline: seconds(5), onCrash }))
}
