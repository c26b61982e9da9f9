import { defineMapper } from '../contract/index.ts'
import { layoutOf } from './codec.ts'
import { deviceConfig, visitorConfig } from './config.ts'
import type { ModbusConnection } from './connection.ts'

/** Modbus TCP. Nothing of the vendor library is loaded before the first `connect`. */
const mapper = defineMapper({
  contract: 1,
  protocol: 'modbus',
  deviceConfig,
  visitorConfig,
  connectionKey: (device) => `${device.host}:${device.port}`,
  deadline: (device) => device.timeout,
  reject: (property, visitor) => {
    const found = layoutOf(property, visitor)
    return found.ok ? undefined : found.reason
  },
  connect: async (device, { signal }): Promise<ModbusConnection> => (await import('./driver.ts')).open(device, signal),
  read: (connection, visits, signal) => connection.read(visits, signal),
  write: (connection, orders, signal) => connection.write(orders, signal),
})

// Apart from the definition: the compiler does not rewrite an import() inside an `export default` expression.
export default mapper
