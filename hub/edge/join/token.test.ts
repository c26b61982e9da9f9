import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJoinToken } from './token.ts'

const HASH = 'ab'.repeat(32)
const payload = (claims: unknown) => Buffer.from(JSON.stringify(claims)).toString('base64url')

test('a token gives the hash to trust, the bearer and the hints in it', () => {
  const text = `${HASH}.head.${payload({ exp: 1, node: 'edge-1', address: 'cloud:10002', server: 'cloud:10000' })}.sig`
  assert.deepEqual(parseJoinToken(` ${text}\n`), {
    caHash: HASH,
    bearer: text.slice(HASH.length + 1),
    address: 'cloud:10002',
    server: 'cloud:10000',
    node: 'edge-1',
  })
})

test('a token of KubeEdge, or one with an unreadable payload, has no hints', () => {
  for (const middle of [payload({ exp: 1 }), '%%%', payload(null), payload({ node: 7 })]) {
    assert.deepEqual(parseJoinToken(`${HASH}.h.${middle}.s`), { caHash: HASH, bearer: `h.${middle}.s` })
  }
})

test('what is no token says where to get one', () => {
  for (const text of ['', 'a.b.c', `${HASH}.a.b`, `${'AB'.repeat(32)}.a.b.c`, `${HASH}.a.b.c.d`]) {
    assert.throws(() => parseJoinToken(text), { code: 'HUB_TOKEN_MALFORMED' }, text)
  }
})
