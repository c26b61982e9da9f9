import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { measureScale } from './twin-scale.ts'

/**
 * Durable twin updates over MQTT, from twin/update to its result, beside a plain echo on the same broker in the same run:
 * one QoS 1 message in, one out, the same clients, handler in the broker's process. Then the edge half as a whole: idle, and
 * with 10,000 twins.
 */
const WINDOWS = [1, 16, 256] as const
const DEVICES = [1, 1000] as const
const SECONDS = 3
/** What is wanted on a quiet machine with two cores. */
const LIMITS: ReadonlyMap<number, string> = new Map([
  [1, ' (p50 below 2 ms)'],
  [256, ' (at least 0.6, and 10,000/s)'],
])

interface Figure {
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
const server = fork(join(import.meta.dirname, 'twin-server.ts'), [
  join(folder, 'edge.db'),
  String(Math.max(...DEVICES)),
])
try {
  const [port] = await once(server, 'message')
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`)
  await client.subscribeAsync(['$hw/events/device/+/+/twin/update/result', 'bench/echo/result'], { qos: 1 })
  await measure(client, 256, echo)
  for (const window of WINDOWS) {
    const plain = await measure(client, window, echo)
    row(`echo, ${window} in flight`, plain)
    for (const devices of DEVICES) {
      const figure = await measure(client, window, update(devices))
      row(`twin updates, ${window} in flight, ${devices} devices`, figure, plain, LIMITS.get(window))
    }
  }
  await measureUnchanged(client)
  await client.endAsync(true)
} finally {
  server.kill()
  await once(server, 'exit')
  await rm(folder, { recursive: true })
}
await measureScale()

/** The same value again and again: answered, and never written. */
async function measureUnchanged(client: MqttClient): Promise<void> {
  const writesOf = async () => {
    server.send('writes')
    return Number((await once(server, 'message'))[0])
  }
  const unchanged: Ask = (to, id) => {
    const message = { event_id: id, twin: { level: { actual: { value: '7' } } } }
    to.publish('$hw/events/device/default/lamp-0/twin/update', JSON.stringify(message), { qos: 1 })
  }
  await measure(client, 1, unchanged)
  const before = await writesOf()
  row('unchanged values, 256 in flight', await measure(client, 256, unchanged))
  process.stdout.write(`${'disk writes for them'.padEnd(44)}${(await writesOf()) - before}\n`)
}

type Ask = (client: MqttClient, id: string) => void

function echo(client: MqttClient, id: string): void {
  const message = { event_id: id, twin: { level: { actual: { value: id } } } }
  client.publish('bench/echo', JSON.stringify(message), { qos: 1 })
}

function update(devices: number): Ask {
  let turn = 0
  return (client, id) => {
    const message = { event_id: id, twin: { level: { actual: { value: id } } } }
    client.publish(`$hw/events/device/default/lamp-${turn++ % devices}/twin/update`, JSON.stringify(message), {
      qos: 1,
    })
  }
}

/** Keeps so many under way for some seconds. */
async function measure(client: MqttClient, window: number, ask: Ask): Promise<Figure> {
  const sent = new Map<string, number>()
  const times: number[] = []
  let count = 0
  const start = performance.now()
  const end = start + SECONDS * 1000
  const { promise, resolve } = Promise.withResolvers<void>()
  const send = () => {
    const id = String(++count + Math.floor(start))
    sent.set(id, performance.now())
    ask(client, id)
  }
  const onMessage = (_topic: string, payload: Buffer) => {
    const id = /"event_id":"(\d+)"/.exec(payload.toString('utf8'))?.[1] ?? ''
    const at = sent.get(id)
    if (at === undefined) return
    sent.delete(id)
    times.push(performance.now() - at)
    if (performance.now() < end) send()
    else if (sent.size === 0) resolve()
  }
  client.on('message', onMessage)
  for (let i = 0; i < window; i++) send()
  await promise
  client.off('message', onMessage)
  const rate = (times.length / (performance.now() - start)) * 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? Number.NaN
  return { rate, p50: at(0.5), p99: at(0.99) }
}

function row(name: string, { rate, p50, p99 }: Figure, floor?: Figure, limit = ''): void {
  const ratio = floor ? `  ${(rate / floor.rate).toFixed(2)} of the echo${limit}` : ''
  const figures = `${Math.round(rate).toString().padStart(7)}/s  p50 ${p50.toFixed(2).padStart(7)} ms  p99 ${p99.toFixed(2).padStart(7)} ms`
  process.stdout.write(`${name.padEnd(44)}${figures}${ratio}\n`)
}
