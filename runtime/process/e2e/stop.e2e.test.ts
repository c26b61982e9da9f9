import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectAsync } from 'mqtt'
import { eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

const PUMP = '$hw/events/device/default/pump-1'

describe('an edge that is stopped while clients write', () => {
  let up: RunningUp

  before(async () => {
    up = await startUp(temporaryDirectory())
  })

  after(() => up.stop())

  it('keeps every change that it has acknowledged', async () => {
    const url = up.endpoints.mqtt ?? ''
    await eventually('the twin of the pump', async () => ((await read(url)) ? true : undefined))
    const acknowledged = await writeWhileItStops((index, count) => {
      const twin = { [`counter-${index}`]: { actual: { value: String(count) } } }
      return [`${PUMP}/twin/update`, JSON.stringify({ twin })]
    })
    const twin = await eventually('the edge is back', async () => {
      try {
        return await read(url)
      } catch {
        // It does not listen yet.
        return undefined
      }
    })
    const kept = acknowledged.map((_, index) => Number(twin[`counter-${index}`]?.actual?.value))
    for (const [index, count] of acknowledged.entries()) {
      assert.ok((kept[index] ?? 0) >= count, `writer ${index}: ${count} acknowledged, ${kept[index]} kept`)
    }
  })

  it('brings every message to the cloud that it has acknowledged', async () => {
    const metrics = up.endpoints.metrics?.cloud ?? ''
    const before = await arrived(metrics)
    const counts = await writeWhileItStops((index, count) => ['room/user/door', `${index}/${count}`])
    const acknowledged = counts.reduce((sum, count) => sum + count)
    await eventually(`all ${acknowledged} in the cloud`, async () =>
      (await arrived(metrics)) - before >= acknowledged ? true : undefined,
    )
  })

  /** Four clients write one after the other until the edge has ended; how many each knows to be taken. The edge runs again. */
  async function writeWhileItStops(make: (writer: number, count: number) => readonly [topic: string, payload: string]) {
    const url = up.endpoints.mqtt ?? ''
    const writers = await Promise.all(Array.from({ length: 4 }, () => connectAsync(url, { reconnectPeriod: 0 })))
    const acknowledged = writers.map(() => 0)
    let open = writers.length
    for (const [index, writer] of writers.entries()) {
      let next = 0
      const write = () => {
        const count = ++next
        const [topic, payload] = make(index, count)
        writer.publish(topic, payload, { qos: 1 }, (error) => {
          if (error) return
          acknowledged[index] = count
          write()
        })
      }
      writer.on('error', () => undefined)
      writer.once('close', () => open--)
      write()
    }
    await eventually('a load', async () => (acknowledged.every((count) => count > 50) ? true : undefined))
    assert.equal((await up.skerry('stop', 'edge')).code, 0)
    await eventually('the connections are closed', async () => (open === 0 ? true : undefined))
    assert.equal((await up.skerry('start', 'edge')).code, 0)
    return acknowledged
  }
})

/** Messages of MQTT clients that the cloud has got, each once; nobody there wants them. */
async function arrived(metrics: string): Promise<number> {
  const text = await (await fetch(`${metrics}/metrics`)).text()
  return Number(/^skerry_cloudhub_user_messages_total\{outcome="no-rule"\} (\d+)/m.exec(text)?.[1] ?? 0)
}

type Twins = Readonly<Record<string, { readonly actual?: { readonly value: string } }>>

/** Undefined while the device is not known. */
async function read(url: string): Promise<Twins | undefined> {
  await using client = await open(url)
  const answer = new Promise<{ twin?: Twins }>((resolve) => {
    client.mqtt.once('message', (_topic, payload) => resolve(JSON.parse(payload.toString())))
  })
  await client.mqtt.subscribeAsync(`${PUMP}/twin/get/result`)
  await client.mqtt.publishAsync(`${PUMP}/twin/get`, '', { qos: 1 })
  return (await answer).twin
}

async function open(url: string) {
  const mqtt = await connectAsync(url, { reconnectPeriod: 0 }, false)
  return { mqtt, [Symbol.asyncDispose]: () => mqtt.endAsync(true) }
}
