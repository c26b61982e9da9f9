import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import { setDesired, twins } from '../../schemas/index.ts'
import { MemoryStore, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'
const WITHIN = { deadline: seconds(5) }

test('desired values of somebody at this node are on disk when they are answered, in canonical form', async (t) => {
  const { bus, disk, mqtt } = await startTwins(t)
  const before = disk.writes
  const answer = await bus.request(setDesired, { id: ID, values: { brightness: '80' }, author: 'user:anna' }, WITHIN)
  assert.deepEqual(answer, { ok: true, values: { brightness: 80 } })
  assert.equal(disk.writes, before + 1)
  const desired = bus.get(twins, ID)?.properties['brightness']?.desired
  assert.deepEqual([desired?.value, desired?.origin, desired?.author], ['80', 'edge', 'user:anna'])
  assert.deepEqual(mqtt.take('/delta')[0]?.message.delta, { brightness: '80' })
})

test('one bad value of several keeps the others out too, and nothing is said', async (t) => {
  const { bus, mqtt, disk } = await startTwins(t)
  const before = disk.writes
  mqtt.take()
  const ask = (values: Record<string, string>, id = ID) => bus.request(setDesired, { id, values, author: 'a' }, WITHIN)
  const missing = await ask({ brightness: '80', colour: 'red' })
  assert.deepEqual(missing, { ok: false, code: 404, reason: 'device default/lamp has no property colour' })
  const wrong = await ask({ brightness: 'bright' })
  assert.equal(wrong.ok ? 200 : wrong.code, 400)
  const nowhere = await ask({ brightness: '1' }, 'default/ghost')
  assert.equal(nowhere.ok ? 200 : nowhere.code, 404)
  assert.deepEqual([disk.writes, mqtt.said.length], [before, 0])
})

test('a disk that fails is answered as that', async (t) => {
  const disk = new MemoryStore()
  const { bus } = await startTwins(t, { disk })
  disk.fill()
  const answer = await bus.request(setDesired, { id: ID, values: { brightness: '80' }, author: 'a' }, WITHIN)
  assert.equal(answer.ok ? 200 : answer.code, 500)
})
