import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from './identity.ts'

const subject = { CN: 'system:node:edge-1', O: 'system:nodes' }

test('the certificate decides, and node_id has to say the same', () => {
  assert.deepEqual(identify({ node_id: 'edge-1', connectionuse: 'msg' }, subject), {
    ok: true,
    peer: { node: 'edge-1', skerry: false, epoch: '' },
  })
  const status = (headers: Record<string, string>, of: object | undefined = subject) => {
    const found = identify(headers, of)
    return found.ok ? 200 : found.status
  }
  assert.equal(status({ node_id: 'edge-2' }), 403)
  assert.equal(status({}), 400)
  assert.equal(status({ node_id: 'edge-1' }, {}), 403)
  assert.equal(status({ node_id: 'edge-1' }, { CN: 'system:node:edge-1', O: 'others' }), 403)
  assert.equal(status({ node_id: 'edge-1', connectionuse: 'str' }), 400)
})

test('a Skerry edge says so, and which database it has', () => {
  const headers = { node_id: 'edge-1', 'x-skerry-wire': '1', 'x-skerry-epoch': 'db' }
  assert.deepEqual(identify(headers, subject), { ok: true, peer: { node: 'edge-1', skerry: true, epoch: 'db' } })
})
