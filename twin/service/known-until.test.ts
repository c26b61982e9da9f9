import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import { knownUntil, type PropertyReading, reportDevices } from '../../schemas/index.ts'
import { lamp, lampModel, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'
const NOW = 1_786_017_600_000
const DEADLINE = { deadline: seconds(5) }

test('until when a device is known is the time of its newest value, and of this incarnation alone', async (t) => {
  const { bus } = await startTwins(t, { devices: [[lamp({ name: 'lamp', uid: 'u-lamp' }), lampModel()]] })
  const until = async (id = ID, uid = 'u-lamp') => (await bus.request(knownUntil, { id, uid }, DEADLINE)).until
  const report = (reading: Omit<PropertyReading, 'property'>) =>
    bus.request(reportDevices, [{ id: ID, readings: [{ property: 'brightness', ...reading }], writes: [] }], DEADLINE)
  assert.equal(await until(), undefined, 'nothing was ever read')
  await report({ value: '7', sourceTime: NOW - 5000, quality: 'good' })
  assert.equal(await until(), NOW - 5000)
  await report({ sourceTime: NOW, quality: 'bad', cause: 'no answer' })
  assert.equal(await until(), NOW - 5000, 'an outage that went on over a restart began when it began')
  await report({ value: '8', sourceTime: NOW - 1000, quality: 'good' })
  assert.equal(await until(), NOW - 1000)
  assert.equal(await until(ID, 'u-made-again'), undefined)
  assert.equal(await until('default/other'), undefined)
})
