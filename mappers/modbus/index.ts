import { defineMapper } from '../contract/index.ts'
import { busTime, deadline } from './bus-time.ts'
import type { ModbusConnection } from './connection.ts'
import { connectionKey, deviceConfig } from './device-config.ts'
import { rejection } from './layout.ts'
import { conflict } from './same-line.ts'
import { visitorConfig } from './visitor-config.ts'

/** Modbus TCP, RTU and RTU over TCP. Nothing of the vendor libraries is loaded before the first `connect`. */
const mapper = defineMapper({
  contract: 1,
  protocol: 'modbus',
  deviceConfig,
  visitorConfig,
  connectionKey,
  conflict: (device, other) => {
    const found = conflict(device, other)
    return found && { pointer: `/${found.key}`, message: found.message }
  },
  peer: (device) => String(device.unitId),
  deadline,
  busTime,
  reject: rejection,
  discover: async function* (device, context) {
    yield* (await import('./discover.ts')).discover(device, context)
  },
  connect: async (device, context): Promise<ModbusConnection> => (await import('./driver.ts')).open(device, context),
  read: (connection, visits, signal) => connection.read(visits, signal),
  write: (connection, orders, signal) => connection.write(orders, signal),
})

// Apart from the definition: the compiler does not rewrite an import() inside an `export default` expression.
export default mapper
