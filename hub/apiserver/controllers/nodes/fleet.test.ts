import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { Fleet } from './fleet.ts'

const node = (name: string, status: 'True' | 'Unknown') => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status }] },
})
const names = Array.from({ length: 500 }, (_, at) => `node-${at}`)

function fleetOf(size: number): Fleet {
  const fleet = new Fleet(new FakeClock())
  for (const name of names.slice(0, size)) fleet.note(name, node(name, 'True'))
  return fleet
}

test('500 nodes that go and come back one by one have the lost ones judged anew a few times, not each time', () => {
  const fleet = fleetOf(500)
  const verdicts = () => [fleet.keep().evicting, fleet.admit().evicting]
  const going = names.filter((name) => fleet.note(name, node(name, 'Unknown')))
  assert.deepEqual(going, ['node-274', 'node-499'], 'most of them, then all')
  assert.deepEqual(verdicts(), ['none', 'none'])
  const coming = names.filter((name) => fleet.note(name, node(name, 'True')))
  assert.deepEqual(coming, ['node-0', 'node-225'])
  assert.deepEqual(verdicts(), ['keep', 'add'])
})

test('a node that says the same again, or that is deleted, is counted once', () => {
  const fleet = fleetOf(3)
  for (let count = 0; count < 3; count++) assert.equal(fleet.note('node-0', node('node-0', 'Unknown')), false)
  assert.equal(fleet.admit().evicting, 'add')
  assert.equal(fleet.note('node-1', undefined), false)
  assert.equal(fleet.note('node-2', undefined), true, 'only the lost one is left')
  assert.equal(fleet.admit().evicting, 'none')
})
