import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignedDevices, type Json } from '../../../schemas/index.ts'
import { pumpDevice, startEdge } from '../testing/edge-bench.ts'

const DEVICE = 'default/device/pump-1'
const SECRET = 'shop/secret/till'
const json = (value: object): Json => JSON.parse(JSON.stringify(value))
const down = (resource: string) => ({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource })

async function served() {
  const edge = await startEdge()
  edge.cloud.say(down(DEVICE), json(pumpDevice()), '10')
  const secret = { kind: 'Secret', metadata: { name: 'till', namespace: 'shop', uid: 'u-1' }, data: {} }
  edge.cloud.say(down(SECRET), json(secret), '11')
  await edge.advance()
  assert.ok(edge.meta.stored(SECRET))
  const epoch = await fact(edge, 'epoch')
  await edge.stop()
  return { edge, epoch }
}

async function fact({ store }: Awaited<ReturnType<typeof startEdge>>, name: string): Promise<unknown> {
  return (await store.read({ statement: 'meta.fact', parameters: [name] }))[0]?.['value']
}

test('a gateway that has another name than before keeps no object of the former node, and is another database to the cloud', async () => {
  const { edge, epoch } = await served()
  await edge.store.write([
    { statement: 'meta.setFact', parameters: ['node', 'edge-0'] },
    { statement: 'meta.putToken', parameters: ['shop/serviceaccounttoken/till', 'till', 'secret', 1, 2, 3] },
  ])
  const renamed = await startEdge({ after: edge, isReachable: false })
  assert.equal(renamed.meta.size.count, 0)
  assert.equal(renamed.bus.get(assignedDevices, 'default/pump-1'), undefined)
  assert.deepEqual(await renamed.store.read({ statement: 'meta.all', parameters: [] }), [])
  assert.deepEqual(await renamed.store.read({ statement: 'meta.tokens', parameters: [] }), [])
  assert.notEqual(await fact(renamed, 'epoch'), epoch)
  assert.equal(await fact(renamed, 'node'), 'edge-1')
  await renamed.stop()
})

test('under the same name everything stays, also where the database does not say whose it is', async () => {
  const { edge, epoch } = await served()
  await edge.store.write([{ statement: 'meta.forgetFact', parameters: ['node'] }])
  const again = await startEdge({ after: edge, isReachable: false })
  assert.equal(again.meta.size.count, 2)
  assert.equal(await fact(again, 'epoch'), epoch)
  await again.stop()
})

test('a database that does not say whose it is and holds the Node of another is that of the other', async () => {
  const { edge } = await served()
  await edge.store.write([
    { statement: 'meta.forgetFact', parameters: ['node'] },
    { statement: 'meta.put', parameters: ['null/node/edge-0', 'node', 'u-0', '1', '{"kind":"Node"}'] },
  ])
  const renamed = await startEdge({ after: edge, isReachable: false })
  assert.equal(renamed.meta.size.count, 0)
  await renamed.stop()
})
