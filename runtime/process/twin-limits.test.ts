import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../platform/config/index.ts'
import { EdgeConfig } from '../../schemas/config/index.ts'
import { twinLimits } from './twin-limits.ts'

const limitsOf = async (text: string) =>
  twinLimits(await loadConfig({ schema: EdgeConfig, text: `node: { name: edge-1 }\n${text}` }))

test('twins hold values of 64 KiB and any text unless told otherwise', async () => {
  const { valueBytes, names } = await limitsOf('')
  assert.deepEqual([valueBytes, names], [65_536, 'any'])
  const narrow = await limitsOf('twins: { maxValueBytes: 512, names: kubeedge }')
  assert.deepEqual([narrow.valueBytes, narrow.names], [512, 'kubeedge'])
})

test('the longest value has to fit into a packet of the broker', async () => {
  await assert.rejects(limitsOf('twins: { maxValueBytes: 1048576 }'), /raise mqtt.maxPacketBytes to 1049600/)
  const large = await limitsOf('twins: { maxValueBytes: 1048576 }\nmqtt: { maxPacketBytes: 1049600 }')
  assert.equal(large.valueBytes, 1_048_576)
  assert.ok(large.freeUnits >= large.valueBytes)
})

test('sizes and names outside of what there is are refused with their key', async () => {
  for (const text of ['maxValueBytes: 0', 'maxValueBytes: 1048577', 'names: ascii', 'charset: any'])
    await assert.rejects(limitsOf(`twins: { ${text} }`), /twins/)
})
