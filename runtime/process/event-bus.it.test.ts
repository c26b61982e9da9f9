import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../platform/config/index.ts'
import { silentMetrics } from '../../platform/health/index.ts'
import { silentLogger as log } from '../../platform/log/index.ts'
import { EdgeConfig } from '../../schemas/config/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { composeEventBus, embeddedPortOf } from './event-bus.ts'

const URL = 'mqtts://broker.plant:8883'

test('each mode has its brokers, its port and its endpoints', async () => {
  const directory = temporaryFolder('skerry-event-bus-')
  const expected = [
    ['internal', 1883, ['EventBus'], { mqtt: 'mqtt://127.0.0.1:1883' }],
    ['both', 1884, ['EventBus', 'ExternalBroker'], { mqtt: 'mqtt://127.0.0.1:1884', mqttExternal: URL }],
    ['external', 1883, ['EventBus'], { mqtt: URL, mqttExternal: URL }],
  ] as const
  for (const [mode, port, names, endpoints] of expected) {
    const text = `node: {name: edge-1}\nmqtt: {mode: ${mode}, external: {url: "${URL}"}}`
    const config = await loadConfig({ schema: EdgeConfig, text })
    assert.equal(embeddedPortOf(config.mqtt), port)
    const composed = composeEventBus(config, { directory, log, metrics: silentMetrics })
    assert.deepEqual(
      composed.modules.map(({ name }) => name),
      names,
    )
    assert.deepEqual(composed.endpoints(), endpoints)
  }
  const { mqtt } = await loadConfig({ schema: EdgeConfig, text: 'node: {name: e}\nmqtt: {mode: both, port: 1900}' })
  assert.equal(embeddedPortOf(mqtt), 1900)
})

test('mappers get an account in memory on the embedded broker, and the settings of the edge on an external one', async () => {
  const directory = temporaryFolder('skerry-event-bus-')
  const brokerOf = async (text: string) => {
    const config = await loadConfig({ schema: EdgeConfig, text: `node: {name: edge-1}\nmqtt: ${text}` })
    return composeEventBus(config, { directory, log, metrics: silentMetrics }).brokerForMappers()
  }
  const inner = await brokerOf('{port: 1900, anonymous: none}')
  assert.equal(inner.url, 'mqtt://127.0.0.1:1900')
  assert.equal(inner.password?.length, 43)
  assert.notEqual((await brokerOf('{}')).password, inner.password)
  assert.equal((await brokerOf('{mode: both, host: 0.0.0.0}')).url, 'mqtt://127.0.0.1:1884')
  const external = `{url: "${URL}", username: edge-1, passwordFile: /run/secret, ca: /run/ca.crt}`
  assert.deepEqual(await brokerOf(`{mode: external, external: ${external}}`), {
    ...{ url: URL, username: 'edge-1', passwordFile: '/run/secret', ca: '/run/ca.crt', insecureSkipVerify: false },
  })
})

test('a URL with a password or of another protocol is refused', async () => {
  for (const url of ['mqtt://user:secret@broker', 'http://broker', 'broker:1883', 'mqtt://broker/path']) {
    const text = `node: {name: e}\nmqtt: {mode: external, external: {url: "${url}"}}`
    await assert.rejects(loadConfig({ schema: EdgeConfig, text }), /mqtt\.external\.url/)
  }
})
