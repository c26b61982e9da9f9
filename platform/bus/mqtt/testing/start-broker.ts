import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { createMetrics } from '../../../health/prometheus.ts'
import { createScope } from '../../../lifecycle/scope.ts'
import { memoryLogger } from '../../../log/testing/index.ts'
import { ms, seconds, systemClock } from '../../../time/index.ts'
import { createEmbeddedBroker } from '../embedded-broker.ts'
import type { EmbeddedBrokerOptions } from '../options.ts'

/** A broker on loopback with a folder of its own. The files of users and certificates are looked at all the time. */
export async function startBroker(t: TestContext, options: Partial<EmbeddedBrokerOptions> = {}) {
  const folder = options.folder ?? temporaryFolder('skerry-mqtt-')
  const log = memoryLogger()
  const metrics = createMetrics()
  const scope = createScope('EventBus', { clock: systemClock, log, deadline: seconds(5), onCrash: assert.ifError })
  const stop = () => scope[Symbol.asyncDispose]()
  t.after(stop)
  const broker = createEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, anonymous: 'none', maxPacketBytes: 1_048_576, maxConnections: 100 },
    ...{ clock: systemClock, log, metrics, folder, recheck: ms(20) },
    ...{ loginLimits: { derivations: 2, waiting: 64, waitingOfAddress: 16, holdBack: ms(100) } },
    ...options,
  })
  await broker.start(scope)
  /** Over TCP, or under another URL. */
  const client = async (
    own: IClientOptions = {},
    url = `mqtt://127.0.0.1:${broker.port}`,
    prepare?: (client: MqttClient) => void,
  ): Promise<MqttClient> => {
    const connected = connect(url, { reconnectPeriod: 0, connectTimeout: 10_000, ...own })
    t.after(() => connected.endAsync(true))
    // What waits in a session comes with the greeting.
    prepare?.(connected)
    await new Promise<unknown>((resolve, reject) => {
      connected.once('connect', resolve)
      connected.on('error', reject)
      connected.once('close', () => reject(new Error('the broker closed the connection')))
    })
    return connected
  }
  return { broker, client, folder, log, metrics, stop }
}

/** Topics and payloads that the client hears, in their order. */
export function listen(client: MqttClient): readonly string[] {
  const heard: string[] = []
  client.on(
    'message',
    (topic, payload, { retain }) => void heard.push(`${topic} ${payload}${retain ? ' retained' : ''}`),
  )
  return heard
}

export function closing(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()))
}

export async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 40_000
  while (!(await condition())) {
    if (systemClock.monotonic() > end) throw new Error('it did not come to pass')
    await systemClock.sleep({ milliseconds: 2 })
  }
}
