import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { createInnerAccount } from '../../platform/bus/mqtt/index.ts'
import { type Mosquitto, prepareMosquitto, startBroker, startMosquitto } from '../../platform/bus/mqtt/testing/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { hostMqtt, mqttDevice } from './testing/hosted.ts'

const mosquitto = { skip: needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub') }

const at = (broker: Mosquitto, more: JsonObject = {}): JsonObject => ({
  broker: `mqtt://127.0.0.1:${broker.port}`,
  timeout: 2000,
  ...more,
})

/** What a person at a terminal would do. */
async function publish({ port }: Mosquitto, topic: string, payload: string, ...more: readonly string[]): Promise<void> {
  const child = spawn('mosquitto_pub', ['-p', String(port), '-t', topic, '-m', payload, '-q', '1', ...more])
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
}

/** A device that is no code of ours: it listens, and answers each message with the output of a shell line. */
function device(t: TestContext, { port }: Mosquitto, listen: string, line: string, ...will: readonly string[]) {
  const script = `mosquitto_sub -p ${port} -t '${listen}' -v ${will.map((each) => `'${each}'`).join(' ')} | while read -r TOPIC PAYLOAD; do ${line}; done`
  const child = spawn('bash', ['-c', script], { detached: true, stdio: 'ignore' })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  t.after(kill)
  return { kill }
}

test('a value that mosquitto keeps comes at once, and each new one as it is published', mosquitto, async (t) => {
  const broker = await startMosquitto(t)
  await publish(broker, 'home/a/power', '23.5', '-r')
  const host = hostMqtt(t)
  host.assign(mqttDevice('a', at(broker, { base: 'home/{device}' }), { power: { topic: '{base}/power' } }, 'FLOAT'))
  await host.value('a', 'power', '23.5')
  await publish(broker, 'home/a/power', '24')
  await host.value('a', 'power', '24')
  assert.deepEqual(host.states, [{ id: 'default/a', state: 'online' }])
})

test(
  'a payload that cannot be read costs its property, and neither its neighbours nor the connection',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const host = hostMqtt(t)
    const visitors = { good: { topic: 'x/#' }, bad: { topic: 'x/+', pointer: '/a/b' } }
    host.assign(mqttDevice('d', at(broker), visitors))
    await broker.logged(/Sending SUBACK/)
    await publish(broker, 'x/y', '{"a":')
    await host.value('d', 'good', '{"a":')
    const reading = await host.until('a bad reading', () =>
      host.readings('d', 'bad').find(({ quality }) => quality === 'bad'),
    )
    assert.match(reading.cause ?? '', /the message on x\/y is no JSON: "\{"a":"/)
    await publish(broker, 'x/y', '{"a":{"b":"fine"}}')
    await host.value('d', 'bad', 'fine')
    assert.equal(host.states.filter(({ state }) => state === 'offline').length, 0)
  },
)

test(
  'a device of mosquitto_pub and mosquitto_sub takes a command, and its new state is the acknowledgement',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    device(t, broker, 'lamp/set', `mosquitto_pub -p ${broker.port} -q 1 -t lamp/state -m "$PAYLOAD"`)
    const host = hostMqtt(t)
    await broker.logged(/lamp\/set/)
    const visitor = { topic: 'lamp/state', commandTopic: 'lamp/set', match: { ON: 'true', OFF: 'false' } }
    host.assign(mqttDevice('lamp', at(broker), { light: visitor }, 'BOOLEAN'))
    host.order('lamp', 'light', 'true')
    assert.equal((await host.written('light')).failure, undefined)
    await host.value('lamp', 'light', 'true')
  },
)

test(
  'a command that nobody acknowledges has failed with that reason, and is not taken for done by its own echo',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const host = hostMqtt(t)
    // One topic for both: what the mapper says comes back to it.
    host.assign(mqttDevice('deaf', at(broker, { timeout: 500 }), { a: { topic: 'deaf/a', commandTopic: 'deaf/a' } }))
    host.order('deaf', 'a', 'on')
    const { failure } = await host.written('a')
    assert.deepEqual(failure, {
      reason: 'WriteFailed',
      message: 'the device did not acknowledge the command within 500 ms',
    })
    assert.deepEqual(host.readings('deaf', 'a'), [])
  },
)

test(
  'an MQTT 5 device answers where and with what the command says, and its refusal is the reason',
  mosquitto,
  async (t) => {
    const broker = await startMosquitto(t)
    const script = ['-V', '5', '-p', String(broker.port), '-t', 'five/set', '-F', '%R|%D|%p']
    const sub = spawn('mosquitto_sub', script, { stdio: ['ignore', 'pipe', 'ignore'] })
    t.after(() => sub.kill())
    sub.stdout.on('data', (chunk: Buffer) => {
      for (const line of String(chunk).trim().split('\n')) {
        const [topic = '', id = '', payload = ''] = line.split('|')
        const answer = payload === '7' ? 'done' : 'refused: too much'
        const property = ['-D', 'publish', 'correlation-data', id]
        spawn('mosquitto_pub', ['-V', '5', '-p', String(broker.port), '-t', topic, '-m', answer, ...property])
      }
    })
    await broker.logged(/five\/set/)
    const host = hostMqtt(t)
    const visitor = { commandTopic: 'five/set', ack: { by: 'response', ok: ['done'] } }
    host.assign(mqttDevice('five', at(broker, { protocolVersion: 5 }), { a: visitor, b: visitor }, 'INT'))
    host.order('five', 'a', '7')
    assert.equal((await host.written('a')).failure, undefined)
    host.order('five', 'b', '9', 'o-2')
    assert.match((await host.written('b')).failure?.message ?? '', /the device answers refused: too much, not done/)
  },
)

test('a device whose process is killed is offline by its last will, and its neighbour is not', mosquitto, async (t) => {
  const broker = await startMosquitto(t)
  const will = ['--will-topic', 'a/status', '--will-payload', 'offline', '--will-retain', '-k', '60']
  const { kill } = device(t, broker, 'a/set', 'true', ...will)
  await broker.logged(/a\/set/)
  await publish(broker, 'a/status', 'online', '-r')
  const host = hostMqtt(t)
  const config = at(broker, { base: '{device}', availability: { topic: '{base}/status' } })
  for (const name of ['a', 'b'])
    host.assign(mqttDevice(name, config, { v: { topic: '{base}/v', commandTopic: '{base}/set' } }))
  await host.state('a', 'online')
  await publish(broker, 'b/status', 'online')
  await host.state('b', 'online')
  kill()
  const { reason } = await host.state('a', 'offline')
  assert.equal(reason, 'the device is offline: "offline" on a/status')
  host.order('a', 'v', '1')
  assert.equal((await host.written('v')).failure?.reason, 'DeviceOffline')
  assert.equal(host.states.filter(({ id, state }) => id === 'default/b' && state === 'offline').length, 0)
})

test('silence is absence where the device says so, and ends with the next word', mosquitto, async (t) => {
  const broker = await startMosquitto(t)
  const host = hostMqtt(t)
  host.assign(mqttDevice('s', at(broker, { silence: 300 }), { v: { topic: 's/v' } }))
  await host.state('s', 'offline')
  await publish(broker, 's/v', '1')
  await host.state('s', 'online', host.states.length - 1)
  const { reason } = await host.state('s', 'offline', host.states.length)
  assert.equal(reason, 'nothing was heard of the device for 300 ms')
})

test('a broker that is killed takes its devices offline, and they are back with it', mosquitto, async (t) => {
  const broker = await startMosquitto(t)
  const host = hostMqtt(t)
  host.assign(mqttDevice('d', at(broker), { v: { topic: 'd/v' } }))
  await broker.logged(/Sending SUBACK/)
  await publish(broker, 'd/v', '1')
  await host.value('d', 'v', '1')
  await broker.kill('SIGKILL')
  const { reason } = await host.state('d', 'offline')
  assert.match(reason ?? '', /MQTT broker/)
  await broker.start()
  await broker.logged(/Sending SUBACK/)
  await publish(broker, 'd/v', '2')
  await host.value('d', 'v', '2')
  await host.state('d', 'online', 2)
})

test('a subscription that the broker refuses is the reason of its property, and others are heard', async (t) => {
  const { broker } = await startBroker(t, { anonymous: 'full', limits: { maxSubscriptions: 1 } })
  await broker.eventBus.publish('open/a', 'x', { retain: true })
  const host = hostMqtt(t)
  const visitors = { a: { topic: 'open/a' }, b: { topic: 'open/b' } }
  host.assign(mqttDevice('d', { broker: `mqtt://127.0.0.1:${broker.port}` }, visitors))
  await host.value('d', 'a', 'x')
  const bad = await host.until('a refusal', () => host.readings('d', 'b').at(-1))
  assert.equal(bad.cause, 'the MQTT broker refuses the subscription to open/b')
})

test('on the broker of the node the mapper has its account, and cannot reach topics of the edge', async (t) => {
  const inner = createInnerAccount()
  const { broker } = await startBroker(t, { inner, anonymous: 'none' })
  const url = `mqtt://127.0.0.1:${broker.port}`
  const host = hostMqtt(t, { url, username: inner.user, password: inner.password })
  // The check at admission knows the topic; only the driver knows the name of the device in it.
  host.assign(mqttDevice('twins', { broker: 'local' }, { good: { topic: 'home/a' }, bad: { topic: '{device}/a/b' } }))
  const bad = await host.until('a refusal', () =>
    host.readings('twins', 'bad').find(({ quality }) => quality === 'bad'),
  )
  assert.match(bad.cause ?? '', /topic twins\/a\/b is one of the edge itself/)
  await broker.eventBus.publish('home/a', 'fine', { retain: true })
  await host.value('twins', 'good', 'fine')
  assert.ok(!JSON.stringify(host.log.lines).includes(inner.password))
})

test(
  'wrong credentials are the reason why devices are offline, and the file of the password is read anew',
  mosquitto,
  async (t) => {
    const broker = await prepareMosquitto(t, {
      lines: ['allow_anonymous false', 'password_file DIR/users'],
      files: { users: '', secret: 'wrong\n' },
    })
    const made = spawn('mosquitto_passwd', ['-b', `${broker.directory}/users`, 'edge', 'right'])
    await once(made, 'exit')
    await broker.start()
    const host = hostMqtt(t)
    const passwordFile = `${broker.directory}/secret`
    host.assign(mqttDevice('d', at(broker, { username: 'edge', passwordFile }), { v: { topic: 'd/v' } }))
    const { reason } = await host.state('d', 'offline')
    assert.match(reason ?? '', /Not authorized/)
    await writeFile(passwordFile, 'right\n', { mode: 0o600 })
    await broker.logged(/Sending SUBACK/)
    assert.ok(!JSON.stringify(host.log.lines).includes('right'))
  },
)

test('a thousand devices share one client, and each hears what is its own', {
  ...mosquitto,
  timeout: 60_000,
}, async (t) => {
  const broker = await startMosquitto(t, { lines: ['allow_anonymous true', 'max_queued_messages 0'] })
  const host = hostMqtt(t)
  const visitors = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`p${index}`, { topic: '{base}/state', pointer: `/p${index}` }]),
  )
  for (let index = 0; index < 1000; index++) {
    host.assign(mqttDevice(`d${index}`, at(broker, { base: 'site/{device}' }), visitors, 'INT'))
  }
  const lines = Array.from({ length: 1000 }, (_, index) => `${index}`)
  const values = (index: string) =>
    JSON.stringify(Object.fromEntries(Object.keys(visitors).map((name) => [name, Number(index)])))
  const { connect } = await import('mqtt')
  const device = connect(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 })
  t.after(() => device.endAsync(true))
  for (const index of lines) device.publish(`site/d${index}/state`, values(index), { qos: 1, retain: true })
  await host.until('all devices', () => new Set(host.reports.map(({ id }) => id)).size === 1000)
  await host.value('d999', 'p29', '999')
  assert.deepEqual(host.readings('d7', 'p0').at(-1)?.value, '7')
  const clients = broker.log.match(/New client connected from .* as skerry-/g) ?? []
  assert.equal(clients.length, 1)
})
