import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { connectAsync, type IClientOptions } from 'mqtt'
import { createMetrics } from '../../../health/index.ts'
import { createScope } from '../../../lifecycle/scope.ts'
import { memoryLogger } from '../../../log/testing/index.ts'
import { seconds, systemClock, systemRandom } from '../../../time/index.ts'
import { createExternalBroker } from '../external/external-broker.ts'
import type { ExternalBrokerOptions } from '../external/options.ts'
import type { Mosquitto } from './mosquitto.ts'

/** The module on a broker of the test. */
export async function startExternal(
  t: TestContext,
  broker: Pick<Mosquitto, 'port'>,
  options: Partial<ExternalBrokerOptions> = {},
) {
  const log = memoryLogger()
  const metrics = createMetrics()
  let pending: string | undefined
  let cleared = 0
  const scope = createScope('EventBus', {
    ...{ clock: systemClock, log, deadline: seconds(10), onCrash: assert.ifError },
    onPending: (what) => {
      pending = what
    },
  })
  const stop = () => scope[Symbol.asyncDispose]()
  t.after(stop)
  const module = createExternalBroker({
    nodeName: 'edge-1',
    address: { url: `mqtt://127.0.0.1:${broker.port}`, insecureSkipVerify: false },
    ...{ subscribeClientId: '', publishClientId: '', plainView: true, maxPacketBytes: 1_048_576 },
    ...{ clock: systemClock, random: systemRandom, log },
    metrics: {
      ...metrics,
      counter(counting) {
        const counter = metrics.counter(counting)
        if (counting.name !== 'skerry_mqtt_external_cleared_total') return counter
        return {
          add(count = 1) {
            cleared += count
          },
        }
      },
    },
    ...options,
  })
  await module.start(scope)
  const { eventBus } = module
  return {
    ...{ eventBus, log, metrics, stop, pending: () => pending, cleared: () => cleared },
    up: () => until(() => pending === undefined),
    /** Writes down what comes, as `topic qos hex`. */
    handle: (filter: string, seen: string[]) =>
      eventBus.handle(filter, async ({ topic, payload, qos, client }) => {
        assert.equal(client, undefined)
        seen.push(`${topic} ${qos} ${Buffer.from(payload).toString('hex')}`)
      }),
  }
}

export async function connectClient(t: TestContext, { port }: Pick<Mosquitto, 'port'>, options: IClientOptions = {}) {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options })
  t.after(() => client.endAsync(true))
  return client
}

export async function until(isDone: () => boolean): Promise<void> {
  const end = systemClock.monotonic() + 25_000
  while (!isDone()) {
    assert.ok(systemClock.monotonic() < end, `not in time: ${isDone}`)
    await systemClock.sleep({ milliseconds: 2 })
  }
}
