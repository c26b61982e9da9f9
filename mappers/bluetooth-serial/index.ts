import { defineMapper } from '../contract/index.ts'
import type { SerialConnection } from './connection.ts'
import { deviceConfig, lineConflict, lineKey } from './device-config.ts'
import { refusal } from './refusal.ts'
import { busTime, deadline } from './timing.ts'
import { visitorConfig } from './visitor-config.ts'

/** Serial lines and Bluetooth serial. Nothing of the vendor library is loaded before the first `connect`. */
const mapper = defineMapper({
  contract: 1,
  protocol: 'bluetooth-serial',
  deviceConfig,
  visitorConfig,
  connectionKey: lineKey,
  conflict: lineConflict,
  peer: (device) => device.address ?? '',
  deadline,
  busTime,
  isPushed: (visitor) => visitor.request === undefined,
  reject: refusal,
  connect: async (device, context): Promise<SerialConnection> => (await import('./driver.ts')).open(device, context),
  read: (connection, visits, signal) => connection.read(visits, signal),
  watch: (connection, visits, report, signal) => connection.watch(visits, report, signal),
  write: (connection, orders, signal) => connection.write(orders, signal),
})

// Apart from the definition: the compiler does not rewrite an import() inside an `export default` expression.
export default mapper
