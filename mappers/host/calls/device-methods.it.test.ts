import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { startBroker } from '../../../platform/bus/mqtt/testing/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock, seconds } from '../../../platform/time/index.ts'
import {
  assignedDevices,
  callDevice,
  type DeviceCall,
  type DeviceCallAnswer,
  deviceCalls,
} from '../../../schemas/index.ts'
import { fakeDevice } from '../testing/host-bench.ts'
import { createDeviceMethodsModule } from './device-methods.ts'

const PUMP = '$hw/events/device/default/pump'

/** The module on a real broker; what the host of the protocol answers is the test's. */
async function start(t: TestContext, host?: (call: DeviceCall) => Promise<DeviceCallAnswer>) {
  const broker = await startBroker(t, { anonymous: 'full' })
  const { log, metrics } = broker
  const bus = createLocalBus(clock, log)
  const scope = createScope('DeviceMethods', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  await createDeviceMethodsModule({ bus, eventBus: broker.broker.eventBus, clock, log, metrics }).start(scope)
  bus.set(assignedDevices, 'default/pump', fakeDevice('pump', { speed: {} }))
  const calls: DeviceCall[] = []
  if (host) {
    bus.serve(deviceCalls('fake'), async (call) => {
      calls.push(call)
      return host(call)
    })
  }
  const client = await broker.client()
  const heard: { topic: string; message: Record<string, unknown> }[] = []
  let tell: () => void = () => undefined
  client.on('message', (topic, payload) => {
    heard.push({ topic, message: JSON.parse(payload.toString()) })
    tell()
  })
  const results = ['$hw/events/device/+/+/method/call/result', '$hw/events/device/+/method/call/result']
  await client.subscribeAsync([...results, 'twins/+/+/+/call/result'], { qos: 1 })
  const answer = async (topic: string) => {
    for (;;) {
      const index = heard.findIndex((each) => each.topic === topic)
      if (index >= 0) return heard.splice(index, 1)[0]?.message ?? assert.fail()
      await new Promise<void>((resolve) => {
        tell = resolve
      })
    }
  }
  const ask = async (topic: string, payload: string | object) => {
    await client.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 })
    return answer(`${topic}/result`)
  }
  return { ...broker, bus, calls, client, ask, answer }
}

it('brings a call to the host of the protocol, and the answer to its caller, in both forms of the topic', async (t) => {
  const { ask, calls } = await start(t, async () => ({ ok: true, results: { speed: '5' } }))
  const { timestamp, ...rest } = await ask(`${PUMP}/method/call`, {
    event_id: 'e1',
    method: 'start',
    arguments: { speed: 5 },
    timeout: 700,
  })
  assert.deepEqual(rest, { event_id: 'e1', method: 'start', results: { speed: '5' } })
  assert.equal(typeof timestamp, 'number')
  assert.equal((await ask('$hw/events/device/pump/method/call', { method: 'start' }))['method'], 'start')
  assert.deepEqual(calls, [
    { id: 'default/pump', method: 'start', arguments: { speed: 5 }, timeout: 700 },
    { id: 'default/pump', method: 'start', arguments: {}, timeout: 10_000 },
  ])
})

it('takes a call on the plain topic, with or without arguments', async (t) => {
  const { ask, calls } = await start(t, async ({ method }) =>
    method === 'say hello/now' ? { ok: true, results: {} } : { ok: false, code: 404, reason: 'no such method' },
  )
  const { time, ...rest } = await ask('twins/default/pump/say hello%2Fnow/call', '')
  assert.deepEqual(rest, { ok: true, results: {} })
  assert.ok(Date.parse(String(time)) > 0)
  const refused = await ask('twins/default/pump/explode/call', '{"event_id":"an argument too"}')
  assert.deepEqual([refused['ok'], refused['code']], [false, 404])
  assert.deepEqual(
    calls.map((call) => call.arguments),
    [{}, { event_id: 'an argument too' }],
  )
})

it('answers what it does not understand, and what has nobody to answer it', async (t) => {
  const { ask, metrics } = await start(t)
  const call = `${PUMP}/method/call`
  for (const [payload, code, reason] of [
    ['no json', 400, /not JSON/],
    ['[]', 400, /not a JSON object/],
    ['{}', 400, /method is missing/],
    ['{"method":"a","arguments":[]}', 400, /arguments is not an object/],
    ['{"method":"a","arguments":{"x":{}}}', 400, /argument x is not/],
    ['{"method":"a","arguments":{"x":[[1]]}}', 400, /argument x is not/],
    ['{"method":"a","arguments":{"__proto__":1}}', 400, /__proto__/],
    ['{"method":"a","timeout":0}', 400, /timeout is not/],
    ['{"method":"a","timeout":1e9}', 400, /timeout is not/],
    ['{"method":"a"}', 503, /no mapper for protocol fake is running/],
  ] as const) {
    const answer = await ask(call, payload)
    assert.equal(answer['code'], code, payload)
    assert.match(String(answer['reason']), reason)
  }
  assert.equal((await ask('$hw/events/device/default/ghost/method/call', { method: 'a' }))['code'], 404)
  assert.match(String((await ask('twins/default/pump/a/call', '[1]'))['reason']), /not a JSON object/)
  assert.match(await metrics.text(), /skerry_device_calls_total\{code="400"\} 10/)
})

it('bounds the calls under way of one device, and gives the receipt of a call before its answer', async (t) => {
  const { promise, resolve } = Promise.withResolvers<DeviceCallAnswer>()
  const { ask, client, answer, calls } = await start(t, () => promise)
  const call = `${PUMP}/method/call`
  for (let at = 0; at < 16; at++) await client.publishAsync(call, `{"method":"slow","event_id":"${at}"}`, { qos: 1 })
  const refused = await ask(call, { method: 'slow', event_id: 'one more' })
  assert.deepEqual([refused['code'], refused['event_id']], [503, 'one more'])
  assert.match(String(refused['reason']), /at most 16 of one device/)
  resolve({ ok: true, results: {} })
  for (let at = 0; at < 16; at++) assert.equal((await answer(`${call}/result`))['code'], undefined)
  assert.equal(calls.length, 16)
})

it('is not called by what a broker had kept, and lets only the edge answer', async (t) => {
  const { client, ask, calls } = await start(t, async () => ({ ok: true, results: { speed: '1' } }))
  await client.publishAsync(`${PUMP}/method/call`, '{"method":"start"}', { qos: 1, retain: true })
  await client.publishAsync(`${PUMP}/method/call/result`, '{"results":"forged"}', { qos: 1 })
  await client.publishAsync('twins/default/pump/start/call/result', '{"ok":"forged"}', { qos: 1 })
  const first = await ask('twins/default/pump/start/call', '{}')
  assert.equal(first['ok'], true)
  assert.deepEqual((await ask(`${PUMP}/method/call`, { method: 'look' }))['results'], { speed: '1' })
  assert.equal(calls.length, 2)
})

it('brings a call of somebody on the bus to its device, within the same bounds', async (t) => {
  const held = Promise.withResolvers<DeviceCallAnswer>()
  const { bus } = await start(t, () => held.promise)
  const call = { id: 'default/pump', method: 'start', arguments: {}, timeout: 5000 }
  const ask = () => bus.request(callDevice, call, { deadline: seconds(5) })
  const underWay = Array.from({ length: 16 }, ask)
  const refused = await ask()
  assert.equal(refused.ok ? 200 : refused.code, 503)
  held.resolve({ ok: true, results: { speed: '5' } })
  for (const answer of await Promise.all(underWay)) assert.deepEqual(answer, { ok: true, results: { speed: '5' } })
  const nowhere = await bus.request(callDevice, { ...call, id: 'default/ghost' }, { deadline: seconds(5) })
  assert.equal(nowhere.ok ? 200 : nowhere.code, 404)
})
