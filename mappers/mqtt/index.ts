import { defineMapper } from '../contract/index.ts'
import { connectionKey } from './address.ts'
import { deviceConfig } from './config.ts'
import type { MqttConnection } from './connection.ts'
import { reject } from './reject.ts'
import { visitorConfig } from './visitor.ts'
import { lineOf, patienceOf } from './visits.ts'

/** What a call takes beside the devices: to the broker and back. */
const ALLOWANCE_MS = 1000

/** Devices that already speak MQTT. Nothing of the vendor library is loaded before the first `connect`. */
const mapper = defineMapper({
  contract: 1,
  protocol: 'mqtt',
  deviceConfig,
  visitorConfig,
  connectionKey,
  deadline: (device, visits) => {
    const lines = Map.groupBy(visits, lineOf)
    const waits = [...lines.values()].map((line) => line.reduce((sum, visit) => sum + patienceOf(visit), 0))
    return Math.max(device.timeout, ...waits) + ALLOWANCE_MS
  },
  isPushed: (visitor) => !visitor.poll,
  reject,
  connect: async (device, context): Promise<MqttConnection> => (await import('./driver.ts')).open(device, context),
  read: (connection, visits, signal) => connection.read(visits, signal),
  write: (connection, orders, signal) => connection.write(orders, signal),
  watch: (connection, visits, report, signal) => connection.watch(visits, report, signal),
})

// Apart from the definition: the compiler does not rewrite an import() inside an `export default` expression.
export default mapper
