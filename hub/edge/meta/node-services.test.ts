import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JsonObject, objectChanges } from '../../../schemas/index.ts'
import { startEdge } from '../testing/edge-bench.ts'
import { leftOutOf } from './node-services.ts'

const MARKER = 'shop/namespaceservices/all'
const down = (resource: string) => ({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource })
const service: JsonObject = { metadata: { name: 'till', namespace: 'shop', uid: 'uid-till', resourceVersion: '7' } }
const marker: JsonObject = {
  metadata: { name: 'all', namespace: 'shop', uid: 'uid-all', resourceVersion: '0-0-0' },
  spec: { leftOut: { Service: 0, EndpointSlice: 0, Endpoints: 0 } },
}

test('a node that comes to an original cloud lets go of services, and at no time takes the rest for all that there is', async () => {
  const before = await startEdge({ keepsServices: true })
  before.cloud.say(down('shop/service/till'), service, '7')
  before.cloud.say(down(MARKER), marker, '0-0-0')
  await before.advance()
  assert.equal(leftOutOf(before, 'shop')?.Service, 0)
  await before.stop()
  const edge = await startEdge({ after: before, isSkerry: false, keepsServices: true })
  assert.deepEqual(edge.meta.keys(), [])
  const steps = edge.store.written.filter((each) => /^meta\.(put|remove)$/.test(each))
  assert.deepEqual(steps, ['meta.put', 'meta.remove', 'meta.remove'])
  await edge.stop()
})

test('a node that stops while it lets go of services knows that not all is here, and goes on at the next time', async () => {
  const before = await startEdge({ keepsServices: true })
  before.cloud.say(down('shop/service/till'), service, '7')
  before.cloud.say(down(MARKER), marker, '0-0-0')
  await before.advance()
  await before.stop()
  const stopped = await startEdge({ after: before, isSkerry: false, keepsServices: true, isReachable: false })
  stopped.bus.subscribe(objectChanges, () => {
    stopped.store.failure = 'the power went'
  })
  stopped.dialer.isReachable = true
  await stopped.advance(120_000)
  assert.deepEqual(stopped.meta.keys().toSorted(), [MARKER, 'shop/service/till'])
  assert.ok((leftOutOf(stopped, 'shop')?.Service ?? 0) > 0)
  await stopped.stop()
  const edge = await startEdge({ after: stopped, isSkerry: false, keepsServices: true })
  assert.deepEqual(edge.meta.keys(), [])
  await edge.stop()
})
