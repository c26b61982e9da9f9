import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { startBroker } from '../testing/start-broker.ts'

const PUBLISHERS = 3

for (const [maxInflight, total] of [
  [1, 300],
  [2, 600],
  [100, 5000],
  [512, 5000],
] as const) {
  test(`${total} messages at once of three publishers come whole and in their order at QoS 1 and 2, with ${maxInflight} under way`, {
    timeout: 120_000,
  }, async (t) => {
    const file = join(temporaryFolder('skerry-mqtt-'), 'mqtt.db')
    const { broker, client } = await startBroker(t, { anonymous: 'full', file, limits: { maxInflight } })
    const handled: string[] = []
    broker.eventBus.handle('burst', async ({ payload }) => void handled.push(String(payload)))
    const expected = Array.from({ length: total }, (_, index) => String(index))
    for (const qos of [1, 2] as const) {
      handled.length = 0
      const hearers = await Promise.all(
        [true, false].map(async (clean) => {
          const hears = await client({ clientId: `hears-${clean}`, clean })
          const heard: string[] = []
          const all = new Promise<void>((resolve) => {
            hears.on('message', (_topic, payload) => {
              if (heard.push(String(payload)) === total) resolve()
            })
          })
          await hears.subscribeAsync('burst', { qos })
          return { hears, heard, all }
        }),
      )
      const says = await Promise.all(Array.from({ length: PUBLISHERS }, () => client()))
      await Promise.all(
        expected.map((payload, index) => says[index % PUBLISHERS]?.publishAsync('burst', payload, { qos })),
      )
      await Promise.all(hearers.map(({ all }) => all))
      for (const { hears, heard } of hearers) {
        assert.deepEqual(byPublisher(heard), byPublisher(expected))
        await hears.endAsync()
      }
      assert.deepEqual(byPublisher(handled), byPublisher(expected))
      for (const each of says) await each.endAsync()
    }
  })
}

function byPublisher(payloads: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: PUBLISHERS }, (_, index) =>
    payloads.filter((each) => Number(each) % PUBLISHERS === index),
  )
}
