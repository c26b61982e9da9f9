import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerConversion } from './conversion.ts'

const GROUP = 'devices.kubeedge.io'
const device = (version: string, spec: object = {}, more: object = {}) => ({
  ...{ apiVersion: `${GROUP}/${version}`, kind: 'Device', metadata: { name: 'a', namespace: 'b', uid: 'u' }, spec },
  ...more,
})

function review(desiredAPIVersion: unknown, objects: unknown, apiVersion = 'apiextensions.k8s.io/v1'): unknown {
  const answer = answerConversion({
    apiVersion,
    kind: 'ConversionReview',
    request: { uid: '7', desiredAPIVersion, objects },
  })
  assert.ok(answer)
  return JSON.parse(JSON.stringify(answer))
}

function responseTo(...given: Parameters<typeof review>): { [key: string]: unknown } {
  return Object(review(...given)).response
}

test('a batch is answered in its order, and what is of the version already goes through', () => {
  const objects = [
    device('v1alpha2', { protocol: { modbus: { slaveID: 1 } } }),
    device('v1beta1', { nodeName: 'edge-1' }),
    { ...device('v1alpha2', { protocol: 'modbus' }), kind: 'DeviceModel' },
  ]
  const { uid, result, convertedObjects } = responseTo(`${GROUP}/v1beta1`, objects)
  assert.deepEqual([uid, result], ['7', { status: 'Success' }])
  assert.ok(Array.isArray(convertedObjects))
  assert.deepEqual(
    convertedObjects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    [`${GROUP}/v1beta1 Device`, `${GROUP}/v1beta1 Device`, `${GROUP}/v1beta1 DeviceModel`],
  )
  assert.deepEqual(convertedObjects[1], objects[1])
  const back = responseTo(`${GROUP}/v1alpha2`, convertedObjects)['convertedObjects']
  assert.deepEqual(Object(back)[0], objects[0])
  assert.deepEqual(Object(back)[2], objects[2])
})

test('what is not served fails as a whole, with the reason', () => {
  const cases: readonly [unknown, unknown, RegExp][] = [
    ['acme.io/v1', [device('v1beta1')], /desiredAPIVersion acme\.io\/v1 is neither/],
    [undefined, [], /desiredAPIVersion undefined/],
    [`${GROUP}/v1beta1`, 'x', /objects is no list/],
    [`${GROUP}/v1beta1`, [device('v1alpha2'), 5], /objects\[1\]: is no object/],
    [`${GROUP}/v1beta1`, [device('v1alpha2', {}, { metadata: null })], /objects\[0\]: is no object/],
    [`${GROUP}/v1beta1`, [device('v1alpha1')], /apiVersion devices\.kubeedge\.io\/v1alpha1 is neither/],
    [`${GROUP}/v1beta1`, [device('v1alpha2', {}, { kind: 'DeviceStatus' })], /kind DeviceStatus is neither/],
  ]
  for (const [desired, objects, expected] of cases) {
    const { result, convertedObjects } = responseTo(desired, objects)
    assert.deepEqual([Object(result).status, convertedObjects], ['Failure', []])
    assert.match(Object(result).message, expected)
  }
  const old = responseTo(`${GROUP}/v1beta1`, [], 'apiextensions.k8s.io/v1beta1')
  assert.match(Object(old['result']).message, /ask with apiextensions\.k8s\.io\/v1/)
})

test('what is no review has no answer', () => {
  for (const body of [undefined, null, 'x', [], {}, { request: {} }, { request: { uid: 1 } }])
    assert.equal(answerConversion(body), undefined)
})
