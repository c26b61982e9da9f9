import { createEmbeddedBroker } from '../../../platform/bus/mqtt/index.ts'
import { silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'

/** A broker of the simulator alone; its code is loaded where there is no other. */
export interface OwnBroker {
  readonly port: number
  close(): PromiseLike<void>
}

export async function startOwnBroker(host: string, clock: Clock): Promise<OwnBroker> {
  const broker = createEmbeddedBroker({
    ...{ host, port: 0, anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 1000 },
    ...{ clock, log: silentLogger, metrics: silentMetrics },
  })
  const scope = createScope('broker of the simulator', {
    ...{ clock, log: silentLogger, deadline: seconds(5) },
    onCrash: () => undefined,
  })
  await broker.start(scope)
  return { port: broker.port, close: () => scope[Symbol.asyncDispose]() }
}
