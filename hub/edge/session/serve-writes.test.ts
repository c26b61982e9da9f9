import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { type Json, type ObjectWrite, writeObject } from '../../../schemas/index.ts'
import { type BenchOptions, startEdge } from '../testing/edge-bench.ts'

const CSR: ObjectWrite = {
  operation: 'insert',
  resource: 'default/certificatesigningrequest/c',
  content: { metadata: { name: 'c' } },
}

async function setup(content: Json | undefined, options: BenchOptions = {}) {
  const edge = await startEdge(options)
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => {
    if (frame.route.source !== 'edged' || frame.route.resource !== CSR.resource) return usual(frame)
    if (content === undefined) return undefined
    return {
      header: { msg_id: 'a', parent_msg_id: frame.header.msg_id, timestamp: 1 },
      route: { group: 'resource', operation: content === 'no' ? 'error' : 'response' },
      content,
    }
  }
  const write = (given = CSR) => edge.bus.request(writeObject, given, { deadline: seconds(60) })
  return { edge, write }
}

test('93: an answer {Object, Err} is the object, or its refusal with the reason', async () => {
  const object = { metadata: { name: 'c', uid: 'u' } }
  for (const content of [{ Object: object, Err: null }, object]) {
    const { edge, write } = await setup(content)
    const done = write()
    await edge.advance()
    assert.deepEqual(await done, object)
    await edge.stop()
  }
  for (const [content, reason] of [
    [{ Object: null, Err: { ErrStatus: { reason: 'AlreadyExists', message: 'there' } } }, 'AlreadyExists'],
    [{ ErrStatus: { reason: 'Forbidden' } }, 'Forbidden'],
    [{ Object: null, Err: 'broken' }, 'Unknown'],
    ['no', 'Unknown'],
  ] as const) {
    const { edge, write } = await setup(content)
    const refused = assert.rejects(write(), (error: { code?: string; fields?: { reason?: string } }) => {
      return error.code === 'HUB_WRITE_REFUSED' && error.fields?.reason === reason
    })
    await edge.advance()
    await refused
    await edge.stop()
  }
})

test('108: a write without the cloud fails at once with HUB_OFFLINE, and one that is cut off says that nobody knows', async () => {
  const { edge, write } = await setup(undefined)
  const late = assert.rejects(write(), { code: 'PLATFORM_DEADLINE' })
  await edge.advance(20_000)
  await late
  const cut = assert.rejects(write(), { code: 'HUB_LINK_ENDED' })
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance()
  await cut
  await assert.rejects(write(), { code: 'HUB_OFFLINE' })
  await assert.rejects(write({ ...CSR, resource: 'default' }), { code: 'HUB_WRITE_REFUSED' })
  await edge.stop()
})

test('an Event is sent and not waited for, because no cloud answers it', async () => {
  const { edge, write } = await setup(undefined)
  const event: ObjectWrite = { operation: 'insert', resource: 'shop/event/e', content: { reason: 'Started' } }
  assert.equal(await write(event), 'OK')
  assert.ok(edge.cloud.summary().includes('insert shop/event/e'))
  await edge.stop()
})
