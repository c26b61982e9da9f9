import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfEdge, refuseConnect, refusePublish } from './access.ts'

const DEVICE = '$hw/events/device/default/lamp'
const NODE = '$hw/events/node/edge-1'

test('nobody but the edge publishes what the edge says', () => {
  const edges = [
    `${DEVICE}/twin/update/result`,
    `${DEVICE}/twin/update/delta`,
    `${DEVICE}/twin/update/document`,
    `${DEVICE}/twin/cloud_updated`,
    `${DEVICE}/twin/get/result`,
    `${DEVICE}/state/update/result`,
    `${DEVICE}/updated`,
    `${NODE}/membership/get/result`,
    `${NODE}/membership/updated`,
    '$SYS/x/heartbeat',
  ]
  for (const topic of edges) assert.ok(isOfEdge(topic), topic)
  for (const topic of [`${DEVICE}/twin/update`, `${DEVICE}/state/get`, 'plant/result', '$hw/events/upload/x']) {
    assert.ok(!isOfEdge(topic), topic)
  }
})

test('full access may publish what clients say, read-only may only ask', () => {
  const says = [`${DEVICE}/twin/update`, `${DEVICE}/state/update`, 'room/user/x', 'plant/result', 'x/get']
  const asks = [`${DEVICE}/twin/get`, `${DEVICE}/state/get`, `${NODE}/membership/get`]
  for (const topic of [...says, ...asks]) assert.equal(refusePublish('full', topic), undefined, topic)
  for (const topic of says) assert.notEqual(refusePublish('read-only', topic), undefined, topic)
  for (const topic of asks) assert.equal(refusePublish('read-only', topic), undefined, topic)
  for (const topic of asks) assert.notEqual(refusePublish('none', topic), undefined, topic)
})

test('without anonymous access nobody connects', () => {
  assert.equal(refuseConnect('read-only'), undefined)
  assert.notEqual(refuseConnect('none'), undefined)
})
