import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'mqtt'
import { type Mosquitto, prepareMosquitto, startMosquitto } from '../../platform/bus/mqtt/testing/index.ts'
import { testAuthority, testIdentity } from '../../platform/certificates/testing/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { hostMqtt, mqttDevice } from './testing/hosted.ts'

const mosquitto = { skip: needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub'), timeout: 60_000 }

/** mosquitto 2.0 ends where it listens for WebSockets alone. */
const ALSO = 'listener 0 DIR/socket'

/** A mosquitto with TLS, which asks clients for certificates of the same authority. */
async function secured(t: TestContext, protocol: 'mqtt' | 'websockets') {
  const authority = await testAuthority()
  const server = await testIdentity(authority, { commonName: 'broker' }, ['serverAuth'])
  const client = await testIdentity(authority, { commonName: 'edge-1' }, ['clientAuth'])
  const stranger = await testAuthority({ commonName: 'Somebody else' })
  const broker = await startMosquitto(t, {
    files: {
      ...{ 'ca.crt': server.ca, 'server.crt': server.cert, 'server.key': server.key },
      ...{ 'edge.crt': client.cert, 'edge.key': client.key, 'stranger.crt': stranger.certificatePem },
    },
    listener: [
      ...[`protocol ${protocol}`, 'cafile DIR/ca.crt', 'certfile DIR/server.crt', 'keyfile DIR/server.key'],
      ...['require_certificate true', 'use_identity_as_username true'],
    ],
    lines: [ALSO, 'allow_anonymous false'],
  })
  const file = (name: string) => join(broker.directory, name)
  const identity = ['--cafile', file('ca.crt'), '--cert', file('edge.crt'), '--key', file('edge.key')]
  const own = { ca: file('ca.crt'), certificate: file('edge.crt'), key: file('edge.key'), timeout: 2000 }
  return { broker, file, own, identity }
}

async function publish({ port }: Mosquitto, ...more: readonly string[]): Promise<void> {
  const child = spawn('mosquitto_pub', ['-h', 'localhost', '-p', String(port), '-q', '1', ...more], { stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
}

test(
  'over mqtts both ends prove who they are, and whose certificate is not trusted gets no devices',
  mosquitto,
  async (t) => {
    const { broker, file, own, identity } = await secured(t, 'mqtt')
    const url = `mqtts://localhost:${broker.port}`
    const host = hostMqtt(t)
    host.assign(mqttDevice('good', { ...own, broker: url }, { v: { topic: 'a/v' } }))
    await broker.logged(/as skerry-\w+ \(p2, c1, k30, u'edge-1'\)/)
    await publish(broker, ...identity, '-r', '-t', 'a/v', '-m', 'over TLS')
    await host.value('good', 'v', 'over TLS')

    host.assign(mqttDevice('wary', { ...own, ca: file('stranger.crt'), broker: url }, { v: { topic: 'a/v' } }))
    assert.match((await host.state('wary', 'offline')).reason ?? '', /certificate|issuer/)
    const naive = { ...own, ca: file('stranger.crt'), broker: url, insecureSkipVerify: true }
    host.assign(mqttDevice('naive', naive, { v: { topic: 'a/v' } }))
    await host.value('naive', 'v', 'over TLS')
    host.assign(mqttDevice('nobody', { ca: own.ca, broker: url }, { v: { topic: 'a/v' } }))
    await host.state('nobody', 'offline')
    host.assign(mqttDevice('lost', { ...own, key: file('no.key'), broker: url }, { v: { topic: 'a/v' } }))
    assert.match(
      (await host.state('lost', 'offline')).reason ?? '',
      /key .*no\.key cannot be read: put it onto the node, readable for the user of the edge/,
    )
  },
)

for (const scheme of ['ws', 'wss'] as const) {
  test(`over ${scheme} values come, commands go, and a killed broker is noticed`, mosquitto, async (t) => {
    const { broker, own } =
      scheme === 'wss'
        ? await secured(t, 'websockets')
        : {
            broker: await startMosquitto(t, {
              listener: ['protocol websockets'],
              lines: [ALSO, 'allow_anonymous true'],
            }),
            own: {},
          }
    const host = hostMqtt(t)
    const config = { ...own, broker: `${scheme}://localhost:${broker.port}/mqtt`, timeout: 2000 }
    const [ca, cert, key] = await Promise.all(
      'ca' in own ? [own.ca, own.certificate, own.key].map((file) => readFile(file)) : [],
    )
    const device = connect(config.broker, { reconnectPeriod: 0, ...(ca && cert && key ? { ca, cert, key } : {}) })
    device.on('error', () => undefined)
    t.after(() => device.endAsync(true))
    device.on('message', (_topic, payload) => device.publish('lamp/state', payload, { qos: 1, retain: true }))
    await device.subscribeAsync('lamp/set', { qos: 1 })
    host.assign(mqttDevice('lamp', config, { v: { topic: 'lamp/state', commandTopic: 'lamp/set' } }))
    host.order('lamp', 'v', 'on')
    assert.equal((await host.written('v')).failure, undefined)
    await host.value('lamp', 'v', 'on')
    await broker.kill('SIGKILL')
    await host.state('lamp', 'offline')
  })
}

test('a session that the broker keeps brings what came while the edge was away', mosquitto, async (t) => {
  const broker = await prepareMosquitto(t, { lines: ['allow_anonymous true', 'max_queued_messages 1000'] })
  await broker.start()
  const url = `mqtt://127.0.0.1:${broker.port}`
  const config = { broker: url, clientId: 'edge-1-meters', cleanSession: false, timeout: 2000 }
  const count = { count: { topic: 'm/count' } }
  const first = hostMqtt(t)
  first.assign(mqttDevice('meter', config, count, 'INT'))
  await broker.logged(/as edge-1-meters \(p2, c0,/)
  await broker.logged(/Sending SUBACK to edge-1-meters/)
  await publish(broker, '-t', 'm/count', '-m', '1')
  await first.value('meter', 'count', '1')
  await first.stop()
  await broker.logged(/Received DISCONNECT from edge-1-meters/)
  for (const value of ['2', '3', '4']) await publish(broker, '-t', 'm/count', '-m', value)
  const second = hostMqtt(t)
  second.assign(mqttDevice('meter', config, count, 'INT'))
  await second.value('meter', 'count', '4')
  // What the broker says of itself comes by another way than its messages.
  await broker.logged(/Sending PUBLISH to edge-1-meters \(d\d, q1/, 4)
  const sent = broker.log.match(/Sending PUBLISH to edge-1-meters \(d\d, q1/g) ?? []
  assert.equal(sent.length, 4, 'each once')
})

test(
  'a polled property is asked for in its cycle, and a device that stops to answer is offline',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const port = String(broker.port)
    const line = `N=0; mosquitto_sub -p ${port} -t p/get | while read -r Q; do N=$((N+1)); [ $N -gt 4 ] || mosquitto_pub -p ${port} -q 1 -t p/v -m $N; done`
    const child = spawn('bash', ['-c', line], { detached: true, stdio: 'ignore' })
    t.after(() => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    })
    await broker.logged(/p\/get/)
    const host = hostMqtt(t)
    const visitor = { topic: 'p/v', getTopic: 'p/get', getPayload: 'now?', poll: true }
    const config: JsonObject = { broker: `mqtt://127.0.0.1:${port}`, timeout: 1500 }
    const device = mqttDevice('p', config, { v: visitor }, 'INT')
    const [property] = device.device.spec.properties ?? []
    assert.ok(property)
    host.assign({
      ...device,
      device: {
        ...device.device,
        spec: { ...device.device.spec, properties: [{ ...property, collectCycle: 300 }] },
      },
    })
    await host.value('p', 'v', '3')
    assert.match((await host.state('p', 'offline')).reason ?? '', /did not answer within 1500 ms/)
  },
)

test('an availability topic that is one of the edge costs nobody the connection', mosquitto, async (t) => {
  const broker = await startMosquitto(t)
  const host = hostMqtt(t, { url: `mqtt://127.0.0.1:${broker.port}` })
  const config = { broker: 'local', availability: { topic: '{device}/x/status' } }
  // The check at admission does not know the name of the device, which makes this a topic of a twin.
  host.assign(mqttDevice('twins', config, { v: { topic: 'home/v' } }))
  host.assign(mqttDevice('other', config, { v: { topic: 'home/v' } }))
  await publish(broker, '-r', '-t', 'home/v', '-m', 'here')
  await host.value('twins', 'v', 'here')
  await host.value('other', 'v', 'here')
  assert.equal(host.states.filter(({ state }) => state === 'offline').length, 0)
  assert.deepEqual(host.log.messages('warn'), ['A device cannot say whether it is there'])
})

test('a password file that never ends, or is a key, is the reason and is sent to nobody', mosquitto, async (t) => {
  const broker = await startMosquitto(t, { files: { 'node.key': '-----BEGIN\nsecret\n-----END\n' } })
  const host = hostMqtt(t)
  const assign = (name: string, passwordFile: string) => {
    const config = { broker: `mqtt://127.0.0.1:${broker.port}`, username: 'u', passwordFile }
    host.assign(mqttDevice(name, config, { v: { topic: 'v' } }))
  }
  assign('endless', '/dev/zero')
  assign('key', join(broker.directory, 'node.key'))
  const endless = await host.state('endless', 'offline')
  assert.match(endless.reason ?? '', /passwordFile \/dev\/zero is no file of at most 1 MiB/)
  assert.match((await host.state('key', 'offline')).reason ?? '', /node\.key has several lines: a password is one line/)
  assert.doesNotMatch(broker.log, /New connection/)
})
