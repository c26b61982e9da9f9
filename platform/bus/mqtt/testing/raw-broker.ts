import assert from 'node:assert/strict'
import { silentMetrics } from '../../../health/metrics.ts'
import { createScope } from '../../../lifecycle/scope.ts'
import { memoryLogger } from '../../../log/testing/index.ts'
import { seconds, systemClock } from '../../../time/index.ts'
import { createEmbeddedBroker } from '../embedded-broker.ts'
import type { EmbeddedBrokerOptions } from '../options.ts'
import type { ConnectFields } from './bytes.ts'
import { RawClient } from './raw-client.ts'

interface Cleanup {
  after(release: () => PromiseLike<void> | void): void
}

/** A broker on a free port, and raw clients of it. */
export async function startRawBroker(t: Cleanup, options: Partial<EmbeddedBrokerOptions> = {}) {
  const log = memoryLogger()
  const scope = createScope('EventBus', { clock: systemClock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const broker = createEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 100 },
    ...{ clock: systemClock, log, metrics: silentMetrics, ...options },
  })
  await broker.start(scope)
  const raw = () => new RawClient(t, broker.port)
  return {
    ...{ broker, log, raw },
    stop: () => scope[Symbol.asyncDispose](),
    /** A client that was greeted. */
    async client(fields: ConnectFields = {}): Promise<RawClient> {
      const client = raw()
      assert.match(await client.greet(fields), /^connack 0/)
      return client
    },
  }
}
