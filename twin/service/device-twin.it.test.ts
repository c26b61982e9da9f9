import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { Message } from '../testing/edge.ts'
import { LAMP } from '../testing/edge.ts'
import { spawnEdge, temporaryFile } from '../testing/spawned-edge.ts'

const update = (eventId: string, side: 'actual' | 'expected', value: string) =>
  JSON.stringify({ event_id: eventId, twin: { brightness: { [side]: { value } } } })

test('kill -9 under load: no value whose result was seen is lost', { timeout: 60_000 }, async (t) => {
  const file = temporaryFile()
  let next = 1
  for (let round = 0; round < 3; round++) {
    const edge = await startEdge(t, file)
    const client = await edge.connect()
    const first = next
    let acknowledged = first - 1
    client.on('message', (_topic, payload) => {
      const { event_id } = parse(payload)
      assert.equal(Number(event_id), acknowledged + 1, 'results come in the order of the updates')
      acknowledged++
      if (acknowledged === first + 199) edge.kill()
    })
    await client.subscribeAsync(`${LAMP}/twin/update/result`, { qos: 1 })
    for (let i = 0; i < 1000; i++, next++) {
      client.publish(`${LAMP}/twin/update`, update(String(next), 'actual', String(next)), { qos: 1 }, () => undefined)
    }
    await edge.closed
    assert.ok(acknowledged >= first + 199)

    const again = await startEdge(t, file)
    const twin = await again.ask('twin/get', '{"event_id":"g"}')
    const kept = Number(twin.twin['brightness']?.actual?.value)
    assert.ok(kept >= acknowledged && kept < next, `kept ${kept}, acknowledged ${acknowledged}`)
    again.kill()
    await again.closed
    next = kept + 1
  }
})

test('the receipt of an update comes after its commit', { timeout: 30_000 }, async (t) => {
  const file = temporaryFile()
  const edge = await startEdge(t, file)
  const client = await edge.connect()
  for (let value = 1; value <= 20; value++) {
    await client.publishAsync(`${LAMP}/twin/update`, update('x', 'expected', String(value)), { qos: value % 2 ? 1 : 2 })
  }
  edge.kill()
  await edge.closed
  const again = await startEdge(t, file)
  assert.equal((await again.ask('twin/get', '{}')).twin['brightness']?.expected?.value, '20')
})

const hasMosquitto = spawnSync('mosquitto_pub', ['--help']).error === undefined

test('mosquitto_pub and mosquitto_sub work', { timeout: 30_000, skip: !hasMosquitto }, async (t) => {
  const edge = await startEdge(t, temporaryFile())
  const at = ['-h', '127.0.0.1', '-p', String(edge.port), '-q', '1']
  // mosquitto_sub prints the retained message when its subscription stands.
  const probe = await edge.connect()
  await probe.publishAsync('probe', 'stands', { retain: true, qos: 1 })
  const filters = ['-t', `${LAMP}/twin/update/+`, '-t', 'probe']
  const sub = spawn('mosquitto_sub', [...at, '-v', ...filters, '-C', '4', '-W', '20'])
  let output = ''
  const subscribed = Promise.withResolvers<void>()
  sub.stdout.on('data', (chunk: Buffer) => {
    output += chunk
    if (output.includes('stands')) subscribed.resolve()
  })
  await subscribed.promise
  const payload = update('e-1', 'expected', '80')
  const pub = spawn('mosquitto_pub', [...at, '-t', `${LAMP}/twin/update`, '-m', payload])
  const closed = once(sub, 'close')
  assert.deepEqual(await once(pub, 'close'), [0, null])
  assert.deepEqual(await closed, [0, null])
  const lines = output.split('\n').filter((line) => line.startsWith('$hw'))
  assert.deepEqual(
    lines.map((line) => line.slice(0, line.indexOf(' '))),
    ['result', 'document', 'delta'].map((last) => `${LAMP}/twin/update/${last}`),
  )
  assert.match(output, /"delta":\{"brightness":"80"\}/)
})

test('mosquitto clients exchange any text, and a reading with its time and quality', {
  timeout: 30_000,
  skip: !hasMosquitto,
}, async (t) => {
  const edge = await startEdge(t, temporaryFile())
  const at = ['-h', '127.0.0.1', '-p', String(edge.port), '-q', '1']
  const texts = [
    'a b',
    '{"a": [1, "b"]}',
    '温度 21°C',
    '🌡️👩‍🔧',
    'Zm9vYg==',
    "http://h/?q='a'&b=%20",
    '\u0000\u2028',
    'x'.repeat(65_536),
  ]
  const metadata = { timestamp: 1_786_017_600_123, quality: 'uncertain', cause: 'driftet – 漂移' }
  const properties = Object.fromEntries(
    texts.map((value, index) => [`温度 ${index} =`, { actual: { value, metadata }, expected: { value } }]),
  )
  const file = temporaryFile()
  await writeFile(file, JSON.stringify({ event_id: '事件', twin: properties }))
  const pub = spawn('mosquitto_pub', [...at, '-t', `${LAMP}/twin/update`, '-f', file])
  assert.deepEqual(await once(pub, 'close'), [0, null])
  const client = await edge.connect()
  const probe = ['-t', `${LAMP}/twin/get/result`, '-C', '1', '-W', '20']
  const sub = spawn('mosquitto_sub', [...at, ...probe])
  let output = ''
  sub.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('latin1')
  })
  const closed = once(sub, 'close')
  const asking = setInterval(() => client.publish(`${LAMP}/twin/get`, '{"event_id":"g"}', { qos: 1 }), 200)
  t.after(() => clearInterval(asking))
  assert.deepEqual(await closed, [0, null])
  const answer = parse(Buffer.from(output, 'latin1'))
  for (const [index, value] of texts.entries()) {
    const twin = answer.twin[`温度 ${index} =`]
    assert.deepEqual([twin?.actual?.value, twin?.expected?.value], [value, value])
    const { timestamp, ...said } = twin?.actual?.metadata ?? {}
    assert.ok(Number(timestamp) > metadata.timestamp)
    assert.deepEqual(said, { sourceTime: metadata.timestamp, quality: 'uncertain', cause: metadata.cause })
  }
})

async function startEdge(t: TestContext, file: string) {
  const edge = await spawnEdge(t, [process.execPath, file])
  const ask = async (action: string, payload: string): Promise<Message> => {
    const client = await edge.connect()
    await client.subscribeAsync(`${LAMP}/${action}/result`, { qos: 1 })
    const answer = Promise.withResolvers<Message>()
    client.on('message', (_topic, message) => answer.resolve(parse(message)))
    await client.publishAsync(`${LAMP}/${action}`, payload, { qos: 1 })
    return answer.promise
  }
  return { ...edge, ask }
}

function parse(payload: Uint8Array): Message {
  return JSON.parse(Buffer.from(payload).toString())
}
