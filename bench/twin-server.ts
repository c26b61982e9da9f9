import { createLocalBus } from '../platform/bus/index.ts'
import { createEmbeddedBroker } from '../platform/bus/mqtt/index.ts'
import { silentMetrics } from '../platform/health/index.ts'
import { createScope, type Module } from '../platform/lifecycle/index.ts'
import { silentLogger as log } from '../platform/log/index.ts'
import { openStore, type Store } from '../platform/store/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../platform/time/index.ts'
import { assignedDevices, listed } from '../schemas/index.ts'
import { createDeviceTwinModule, twinStoreDomain } from '../twin/index.ts'

/** The process that is measured: broker, store and DeviceTwin as the edge has them, and a plain echo beside them. */
const [, , file = '', devices = '1'] = process.argv
const opened = await openStore(file, [twinStoreDomain], { clock, log })
let writes = 0
const store: Store = {
  write(calls) {
    writes++
    return opened.write(calls)
  },
  read: (call) => opened.read(call),
  [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
}
const bus = createLocalBus(clock, log)
for (let i = 0; i < Number(devices); i++) {
  const metadata = { name: `lamp-${i}`, namespace: 'default', uid: String(i), generation: 1 }
  const apiVersion = 'devices.kubeedge.io/v1beta1'
  bus.set(assignedDevices, `default/${metadata.name}`, {
    device: { apiVersion, kind: 'Device', metadata, spec: { properties: [{ name: 'level' }] } },
    model: {
      apiVersion,
      kind: 'DeviceModel',
      metadata: { name: 'lamp', namespace: 'default' },
      spec: { properties: [{ name: 'level', type: 'INT', accessMode: 'ReadWrite' }] },
    },
  })
}
bus.set(listed, 'devices', true)
const common = { clock, log, metrics: silentMetrics }
const limits = { anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 10 } as const
const broker = createEmbeddedBroker({ host: '127.0.0.1', port: 0, ...limits, ...common })
const { eventBus } = broker
await start(broker)
await start(createDeviceTwinModule({ store, bus, eventBus, nodeName: 'edge-1', random, ...common }))
eventBus.handle('bench/echo', ({ payload }) => eventBus.publish('bench/echo/result', payload, { qos: 1 }))
process.on('message', () => process.send?.(writes))
process.send?.(broker.port)

function start(module: Module): Promise<void> {
  const onCrash = (error: unknown) => {
    throw error
  }
  return module.start(createScope(module.name, { clock, log, deadline: seconds(5), onCrash }))
}
