import { defineMapper } from '../contract/index.ts'
import { addressProblem } from './address.ts'
import { contradiction, type DeviceConfig, deviceConfig, type VisitorConfig, visitorConfig } from './config.ts'
import type { OpcuaConnection } from './connection.ts'
import { rangeProblem } from './values/index-range.ts'

/** Servers with small limits need several requests for one call; the timeout is that of a request. */
const VISITS_IN_TIMEOUT = 100

/** OPC UA. Nothing of the vendor library is loaded before the first `connect`. */
const mapper = defineMapper({
  contract: 1,
  protocol: 'opcua',
  deviceConfig,
  visitorConfig,
  connectionKey,
  deadline: (device, visits) => device.timeout * Math.max(1, Math.ceil(visits.length / VISITS_IN_TIMEOUT)),
  isCallable: (visitor) => visitor.method !== undefined,
  reject: (_property, visitor) => addressProblem(visitor) ?? rangeMistake(visitor),
  connect: async (device, context): Promise<OpcuaConnection> => (await import('./driver.ts')).open(device, context),
  read: (connection, visits, signal) => connection.read(visits, signal),
  watch: (connection, visits, report, signal) => connection.watch(visits, report, signal),
  write: (connection, orders, signal) => connection.write(orders, signal),
  call: (connection, call, signal) => connection.call(call, signal),
  history: (connection, visits, since, report, signal) => connection.history(visits, since, report, signal),
  async *discover(device, context) {
    yield* (await import('./driver.ts')).discover(device, context)
  },
})

/** Devices share a session when they are the same to the server. How often they look at it is their own affair. */
function connectionKey(device: DeviceConfig): string {
  const reason = contradiction(device)
  if (reason !== undefined) throw new Error(reason)
  const { root, publishingInterval, samplingInterval, queueSize, subscribe, history, historyLimit, ...session } = device
  return JSON.stringify(session)
}

function rangeMistake({ indexRange, attribute }: VisitorConfig): string | undefined {
  if (indexRange === undefined) return undefined
  return attribute === 'Value' ? rangeProblem(indexRange) : 'indexRange goes with the attribute Value'
}

export { openTrustStore, type TrustedCertificate, type TrustStore } from './trust/trust-store.ts'
// Apart from the definition: the compiler does not rewrite an import() inside an `export default` expression.
export default mapper
