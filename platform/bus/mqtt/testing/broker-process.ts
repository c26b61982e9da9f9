import { silentMetrics } from '../../../health/metrics.ts'
import { createScope } from '../../../lifecycle/scope.ts'
import { silentLogger as log } from '../../../log/logger.ts'
import { systemClock as clock, seconds } from '../../../time/index.ts'
import { createEmbeddedBroker } from '../embedded-broker.ts'

/** A process to be killed: a broker on the file of its first argument, at the port of its second. Sends its port to its parent when it serves. */
const [, , file = '', port = '0'] = process.argv
const onCrash = (error: unknown) => {
  throw error
}
const broker = createEmbeddedBroker({
  ...{ host: '127.0.0.1', port: Number(port), anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 100 },
  ...{ clock, log, metrics: silentMetrics, file },
})
await broker.start(createScope(broker.name, { clock, log, deadline: seconds(5), onCrash }))
process.send?.(broker.port)
