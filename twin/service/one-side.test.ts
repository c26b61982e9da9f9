import assert from 'node:assert/strict'
import { test } from 'node:test'
import { twins } from '../../schemas/index.ts'
import { LAMP, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'

test('a client of one side is told so with 400 when it changes the other, and nothing changes', async (t) => {
  const { mqtt, bus } = await startTwins(t)
  const before = bus.get(twins, ID)
  mqtt.take()
  const wish = { event_id: 'w', twin: { brightness: { expected: { value: '80' } } } }
  const report = { event_id: 'r', twin: { brightness: { actual: { value: '80' } } } }
  await mqtt.send(`${LAMP}/twin/update`, wish, { side: 'reported' })
  await mqtt.send(`${LAMP}/twin/update`, report, { side: 'desired' })
  await mqtt.send(`${LAMP}/state/update`, { event_id: 's', state: 'online' }, { side: 'desired' })
  assert.deepEqual(
    mqtt.take().map(({ topic, message }) => [topic, message.event_id, message.code]),
    [
      [`${LAMP}/twin/update/result`, 'w', 400],
      [`${LAMP}/twin/update/result`, 'r', 400],
      [`${LAMP}/state/update/result`, 's', 400],
    ],
  )
  assert.deepEqual(bus.get(twins, ID), before)
})

test('a wish bears the name that its author has proven, else the client id', async (t) => {
  const { mqtt, bus } = await startTwins(t)
  const wish = (value: string) => ({ event_id: value, twin: { brightness: { expected: { value } } } })
  await mqtt.send(`${LAMP}/twin/update`, wish('80'), { side: 'desired', user: 'heating', client: 'h-1' })
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.desired?.author, 'user:heating')
  await mqtt.send(`${LAMP}/twin/update`, wish('70'), { client: 'h-1' })
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.desired?.author, 'mqtt:h-1')
})
