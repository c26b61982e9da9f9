import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectAsync } from 'mqtt'
import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { loadConfig } from '../../../platform/config/index.ts'
import { silentMetrics as metrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { systemClock as clock, seconds } from '../../../platform/time/index.ts'
import { EdgeConfig } from '../../../schemas/config/index.ts'
import { mqttForPods } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { parsePod } from '../../edged/pod/parse-pod.ts'
import { createPodAccess } from '../../edged/twins/create-pod-access.ts'
import { composeEventBus } from '../event-bus.ts'

const GRANTS = { read: ['shop/door'], write: [] }
/** Of each Linux machine, and not that of the plain listener. */
const ADDRESS = '127.0.0.2'

function tillOf() {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1' },
    spec: { containers: [{ name: 'app', image: 'till:1' }] },
  })
  assert.ok('pod' in parsed)
  return parsed.pod
}

const placeOf = (bus: Bus, network: 'pod' | 'host') => bus.request(mqttForPods, { network }, { deadline: seconds(10) })

/** EventBus and pod access of one process, on a port that is free. */
async function startNode(t: TestContext, directory: string, mqtt = 'anonymous: full', address = ADDRESS) {
  const bus = createLocalBus(clock, log)
  const config = await loadConfig({ schema: EdgeConfig, text: `node: {name: e}\nmqtt: {port: 0, ${mqtt}}` })
  const { modules } = composeEventBus(config, { directory, log, metrics }, { bus, address })
  const access = createPodAccess({ bus, log, folder: join(directory, 'kept'), handouts: join(directory, 'out') })
  const scope = createScope('node', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const stop = () => scope[Symbol.asyncDispose]()
  t.after(stop)
  for (const module of [access, ...modules]) await module.start(scope)
  const enter = async () => {
    const { environment } = await access.grant(tillOf(), GRANTS)
    const password = await readFile(join(directory, 'out', 'u-1', 'password'), 'utf8')
    const username = environment.get('SKERRY_MQTT_USERNAME') ?? ''
    const url = environment.get('SKERRY_MQTT_URL') ?? ''
    return connectAsync(url, { username, password, reconnectPeriod: 0 }, false)
  }
  return { bus, access, stop, enter }
}

test('a pod comes in with what it was given, and is out once it goes', { timeout: 30_000 }, async (t) => {
  const { access, enter } = await startNode(t, temporaryFolder('skerry-pod-broker-'))
  const client = await enter()
  await client.subscribeAsync('twins/shop/door', { qos: 1 })
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  await access.revoke('u-1')
  await closed
})

test('a container that runs on over a restart finds the broker where it was', { timeout: 30_000 }, async (t) => {
  const directory = temporaryFolder('skerry-pod-broker-')
  const first = await startNode(t, directory)
  await (await first.enter()).endAsync()
  const before = await placeOf(first.bus, 'pod')
  const password = await readFile(join(directory, 'out', 'u-1', 'password'), 'utf8')
  await first.stop()
  const second = await startNode(t, directory)
  assert.ok('port' in before)
  // Before anybody has spoken of the pod.
  const url = `mqtt://${before.host}:${before.port}`
  const client = await connectAsync(url, { username: 'pod:shop/till/u-1', password, reconnectPeriod: 0 }, false)
  await client.endAsync()
  assert.deepEqual(await placeOf(second.bus, 'pod'), before)
})

test('where pods cannot come in they are told why, and the broker serves the rest', { timeout: 30_000 }, async (t) => {
  const far = await startNode(t, temporaryFolder('skerry-pod-broker-'), 'anonymous: full', '192.0.2.1')
  await assert.rejects(far.enter(), { code: 'EDGED_POD_WAITS' })
  const offer = await placeOf(far.bus, 'host')
  assert.ok('port' in offer && offer.host === '127.0.0.1')
  await (await connectAsync(`mqtt://127.0.0.1:${offer.port}`, { reconnectPeriod: 0 }, false)).endAsync()
})

test('a node with an external broker makes no accounts, and says so', async () => {
  const bus = createLocalBus(clock, log)
  const config = await loadConfig({ schema: EdgeConfig, text: 'node: {name: e}\nmqtt: {mode: external}' })
  composeEventBus(config, { directory: temporaryFolder('skerry-pod-broker-'), log, metrics }, { bus, address: ADDRESS })
  for (const network of ['pod', 'host'] as const) {
    const offer = await placeOf(bus, network)
    assert.ok('refusal' in offer)
    assert.match(offer.refusal, /mqtt\.mode/)
  }
})

test('nothing of the machine is touched before the first pod asks', { timeout: 30_000 }, async (t) => {
  const { bus } = await startNode(t, temporaryFolder('skerry-pod-broker-'))
  const host = await placeOf(bus, 'host')
  assert.ok('port' in host)
  const early = connectAsync(`mqtt://${ADDRESS}:${host.port}`, { reconnectPeriod: 0, connectTimeout: 2000 }, false)
  await assert.rejects(early, { code: 'ECONNREFUSED' })
  const [one, other] = await Promise.all([placeOf(bus, 'pod'), placeOf(bus, 'pod')])
  assert.deepEqual(one, { host: ADDRESS, port: host.port })
  assert.deepEqual(other, one)
})
