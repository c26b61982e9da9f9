import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEVICE_ACTIONS, deviceTopic, NODE_ACTIONS, nodeTopic, parseDeviceTopic, parseNodeTopic } from './topics.ts'

/** Names that are parts of topics themselves, which KubeEdge cannot tell apart (W2). */
const name = fc.oneof(
  fc.constantFrom('dev', 'device', 'e', 'hw', 'ice', 'twin', 'state', 'update', 'get', 'result', 'default', 'updated'),
  fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?$/),
)

test('what is built for a device is parsed to the same, whatever it is called', () => {
  fc.assert(
    fc.property(name, name, fc.constantFrom(...DEVICE_ACTIONS), (namespace, device, action) => {
      const id = `${namespace}/${device}`
      assert.deepEqual(parseDeviceTopic(deviceTopic(id, action)), { id, action, form: 'namespaced' })
    }),
  )
})

test('a bare name means namespace default and is answered in the same form', () => {
  const topic = '$hw/events/device/lamp/twin/update'
  assert.deepEqual(parseDeviceTopic(topic), { id: 'default/lamp', action: 'twin/update', form: 'bare' })
  assert.equal(deviceTopic('default/lamp', 'twin/update/result', 'bare'), `${topic}/result`)
  assert.equal(deviceTopic('plant/lamp', 'twin/get', 'bare'), '$hw/events/device/plant/lamp/twin/get')
})

test('what is built for a node is parsed to the same', () => {
  fc.assert(
    fc.property(name, fc.constantFrom(...NODE_ACTIONS), (node, action) => {
      assert.deepEqual(parseNodeTopic(nodeTopic(node, action)), { node, action })
    }),
  )
})

test('nothing else is a topic of the edge', () => {
  for (const topic of [
    '$hw/events/device/',
    '$hw/events/device//lamp/twin/update',
    '$hw/events/device/twin/update',
    '$hw/events/device/default/lamp/twin/edge_updated',
    '$hw/events/device/a/b/c/twin/update',
    '$hw/events/upload/x',
    'room/user/twin/update',
  ]) {
    assert.equal(parseDeviceTopic(topic), undefined, topic)
  }
  for (const topic of ['$hw/events/node/', '$hw/events/node//membership/get', '$hw/events/node/edge-1/twin/get']) {
    assert.equal(parseNodeTopic(topic), undefined, topic)
  }
})
