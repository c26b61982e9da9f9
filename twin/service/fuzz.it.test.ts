import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { parseDeviceTopic, type Twin, twins } from '../../schemas/index.ts'
import { LAMP, type Said } from '../testing/edge.ts'
import { type Hostile, hostile } from '../testing/hostile.ts'
import { startNode } from '../testing/mqtt-node.ts'

/** `node twin/service/fuzz.it.test.ts [RUNS [SEED]]` for long runs; a failure names its seed. */
const [, , runs = '250', seed = '1'] = process.argv
const NUMBERS = { numRuns: Number(runs) || 250, seed: Number(seed) || 1, endOnFailure: true }
const ID = 'default/lamp'
const MEMBERSHIP = '$hw/events/node/edge-1/membership/get'

test('whatever is sent gets its documented answer, and a refused request changes nothing', {
  timeout: 3_600_000,
}, async (t) => {
  const { listen, bus, crashes, log } = await startNode(t)
  const sender = await listen()
  const observer = await listen('$hw/events/#')
  const honest = await listen()
  let count = 0
  const check = async (sent: Hostile) => {
    const before = bus.get(twins, ID)
    await sender.say(sent.topic, sent.payload)
    const heard = (await observer.drain()).filter(({ topic }) => topic !== sent.topic)
    judge(sent, heard, before, bus.get(twins, ID))
    if (++count % 20 === 0) {
      const { event_id, twin } = await honest.ask(`${LAMP}/twin/get`, { event_id: `honest-${count}` })
      assert.deepEqual([event_id, typeof twin['brightness']], [`honest-${count}`, 'object'])
      await observer.drain()
    }
  }
  await fc.assert(fc.asyncProperty(hostile, check), NUMBERS)
  assert.deepEqual([crashes, log.messages('error')], [[], []])
})

test('many rounds leave no memory behind', { timeout: 600_000 }, async (t) => {
  const { listen, metrics } = await startNode(t)
  const sender = await listen()
  const samples = fc.sample(hostile, { numRuns: 150, seed: 7 })
  const round = async () => {
    for (const [index, { topic, payload }] of samples.entries())
      await sender.say(topic.replace('nobody', `n${index}`), payload)
    return usedHeap()
  }
  const series = async () => (await metrics.text()).split('\n').length
  await round()
  const [first, lines] = [await round(), await series()]
  await round()
  const last = await round()
  assert.ok(last - first < 12e6, `${Math.round((last - first) / 1e3)} kB more after two rounds`)
  // An outcome that is rare may be met for the first time; a label that a client can choose would add one for each sample.
  assert.ok((await series()) - lines < samples.length / 3, 'no series of metrics for what clients say')
})

test('a client that breaks MQTT itself loses its connection and nobody else anything', async (t) => {
  const { listen, broker, crashes } = await startNode(t)
  const client = await listen()
  const connect = packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 60]), text('raw')]))
  for (const packets of [
    [packet(0x30, Buffer.concat([text('$hw/events/device/default/+/twin/update'), Buffer.from('{}')]))],
    [packet(0x30, Buffer.concat([text('$hw/events/device/#'), Buffer.from('{}')]))],
    [packet(0x32, Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.from('short')]))],
    [packet(0x36, Buffer.concat([text('a'), Buffer.from([0, 1])]))],
    [packet(0x32, Buffer.concat([Buffer.from([0, 2, 0xc3, 0x28]), Buffer.from([0, 1])]))],
    [Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])],
    [packet(0x00, Buffer.alloc(0)), Buffer.from([0xf0, 0])],
    [packet(0x32, Buffer.concat([text('$hw/events/device/default/lamp/twin/get'), Buffer.from([0, 0])]))],
  ]) {
    const socket = createConnection(broker.port, '127.0.0.1')
    socket.on('error', () => undefined)
    for (const bytes of [connect, ...packets]) socket.write(bytes)
    socket.resume()
    // The broker closes: this end does not.
    await new Promise((resolve) => socket.once('close', resolve))
    const { twin } = await client.ask(`${LAMP}/twin/get`, '')
    assert.ok(twin['brightness'])
  }
  assert.deepEqual(crashes, [])
})

/** What a message on a topic of the edge has to be answered with, by the page of topics and nothing else. */
function judge(
  { topic, payload }: Hostile,
  heard: readonly Said[],
  before: Twin | undefined,
  after: Twin | undefined,
): void {
  const answers = heard.filter((said) => said.topic === `${topic}/result`)
  const target = parseDeviceTopic(topic)
  const action = target?.action ?? (topic === MEMBERSHIP ? 'membership/get' : '')
  const isAsked = ['twin/update', 'twin/get', 'state/update', 'state/get', 'membership/get'].includes(action)
  if (!isAsked) {
    assert.deepEqual(heard, [], topic)
    assert.equal(after, before)
    return
  }
  const body = bodyOf(payload, action)
  const known = action === 'membership/get' || target?.id === ID
  const [answer] = answers
  const { code, event_id } = answer?.message ?? {}
  const isPassedOver = action === 'state/update' && body !== undefined && isUnknownState(body)
  assert.equal(answers.length, isPassedOver ? 0 : 1, `answers on ${topic}`)
  if (isPassedOver) {
    assert.equal(after, before)
    return
  }
  if (body === undefined) assert.equal(code, 400)
  else if (!known) assert.ok(code === 404 || code === 400, `${code}`)
  else if (action.endsWith('get')) assert.ok(code === undefined || (code === 400 && isBadEventId(body)))
  else assert.ok(code === undefined || code === 400, `${code}`)
  const given = body && fieldOf(body, 'event_id')
  if (typeof given === 'string' && given.length <= 1024 && !(action === 'state/update' && code === undefined))
    assert.equal(event_id, given)
  if (code !== undefined) {
    assert.equal(after, before, 'a refused request changes nothing')
    assert.ok((answer?.message.reason?.length ?? 0) < 1000, 'a reason is short')
    assert.equal(heard.length, 1)
  }
}

type Body = Readonly<Record<string, unknown>>

function bodyOf(payload: Uint8Array, action: string): Body | undefined {
  if (payload.length === 0 && action.endsWith('get')) return {}
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    return isBody(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldOf(body: Body, name: string): unknown {
  if (Object.hasOwn(body, name)) return body[name]
  return Object.entries(body).findLast(([key]) => key.toLowerCase() === name)?.[1]
}

function isBadEventId(body: Body): boolean {
  const given = fieldOf(body, 'event_id')
  return given !== undefined && given !== null && (typeof given !== 'string' || given.length > 1024)
}

function isUnknownState(body: Body): boolean {
  const state = fieldOf(body, 'state')
  const isState =
    typeof state === 'string' && ['online', 'offline', 'ok', 'unknown', 'unhealthy'].includes(state.toLowerCase())
  return typeof state === 'string' && !isState && !isBadEventId(body)
}

function usedHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') for (let turn = 0; turn < 3; turn++) collect()
  return process.memoryUsage().heapUsed
}

function packet(head: number, body: Buffer): Buffer {
  assert.ok(body.length < 16_384)
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]
  return Buffer.concat([Buffer.from([head, ...length]), body])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}
