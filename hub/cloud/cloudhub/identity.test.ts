import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from './identity.ts'

const certificate = { node: 'edge-1', serial: '4f', expires: 1 }
const admitted = () => undefined

test('the certificate decides, and node_id has to say the same', () => {
  assert.deepEqual(identify({ node_id: 'edge-1', connectionuse: 'msg' }, certificate, admitted), {
    ok: true,
    peer: { node: 'edge-1', skerry: false, epoch: '' },
    certificate,
  })
  const status = (headers: Record<string, string>, of: typeof certificate | undefined) => {
    const found = identify(headers, of, admitted)
    return found.ok ? 200 : found.status
  }
  assert.equal(status({ node_id: 'edge-2' }, certificate), 403)
  assert.equal(status({}, certificate), 400)
  assert.equal(status({ node_id: 'edge-1' }, undefined), 403)
  assert.equal(status({ node_id: 'edge-1', connectionuse: 'str' }, certificate), 400)
})

test('a certificate that counts no more is refused as the register says it', () => {
  const refused = { status: 503, reason: 'later' }
  assert.deepEqual(
    identify({ node_id: 'edge-1' }, certificate, (asked) => (asked === certificate ? refused : undefined)),
    { ok: false, ...refused },
  )
})

test('a Skerry edge says so, and which database it has', () => {
  const headers = { node_id: 'edge-1', 'x-skerry-wire': '1', 'x-skerry-epoch': 'db' }
  const found = identify(headers, certificate, admitted)
  assert.deepEqual(found.ok && found.peer, { node: 'edge-1', skerry: true, epoch: 'db' })
})

test('a Skerry edge says that it keeps services; an original edge cannot', () => {
  const headers = { node_id: 'edge-1', 'x-skerry-services': 'kept' }
  const kept = (more: object) => {
    const found = identify({ ...headers, ...more }, certificate, admitted)
    return found.ok && found.peer.keepsServices
  }
  assert.equal(kept({ 'x-skerry-wire': '1' }), true)
  assert.equal(kept({}), undefined)
})
