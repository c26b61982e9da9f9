import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import mqtt from '../mappers/mqtt/index.ts'
import { assigned, hosted } from './hosted.ts'
import { comparePushed, type Receiver } from './pushed.ts'

const PLUGS = 100
/** In each message, found by JSON pointers. */
const POINTERS = { power: '/power', voltage: '/voltage', energy: '/energy/total' } as const
const EACH = Object.keys(POINTERS).length

/** Messages of a hundred devices with three properties in each. */
export async function measureMqtt(): Promise<void> {
  const peer = fork(join(import.meta.dirname, 'mqtt-peer.ts'), [String(PLUGS)])
  try {
    const [port] = await once(peer, 'message')
    const url = `mqtt://127.0.0.1:${port}`
    await comparePushed(
      `MQTT messages, ${EACH} properties in each`,
      () => bareClient(url),
      async () => {
        const mapped = await hosted(
          mqtt,
          Array.from({ length: PLUGS }, (_, plug) => deviceOf(url, plug)),
        )
        return {
          get count() {
            return mapped.pushed / EACH
          },
          [Symbol.asyncDispose]: () => mapped[Symbol.asyncDispose](),
        }
      },
    )
  } finally {
    peer.disconnect()
  }
}

async function bareClient(url: string): Promise<Receiver> {
  const client = await connectAsync(url)
  let count = 0
  let sum = 0
  client.on('message', (_topic, payload) => {
    const { power, voltage, energy } = JSON.parse(payload.toString('utf8'))
    sum += power + voltage + energy.total
    count++
  })
  await client.subscribeAsync('plug/+/state', { qos: 1 })
  return {
    get count() {
      return Number.isNaN(sum) ? Number.NaN : count
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  }
}

function deviceOf(broker: string, plug: number) {
  const visitors = Object.entries(POINTERS).map(
    ([name, pointer]) => [name, { topic: `plug/${plug}/state`, pointer }] as const,
  )
  return assigned(`plug-${plug}`, 'mqtt', { broker }, Object.fromEntries(visitors))
}
