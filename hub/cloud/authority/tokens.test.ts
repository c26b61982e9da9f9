import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { ensureSecret } from './secrets.ts'
import { mintToken, verifyToken } from './tokens.ts'

const key = new Uint8Array(32).fill(7)
const { signal } = new AbortController()

test('a token has four parts, and its claims come back from the last three', async () => {
  const clock = new FakeClock()
  const request = { node: 'edge-1', ttl: minutes(1), address: 'cloud.example:10002' }
  const { text: token, claims } = await mintToken(key, 'ab'.repeat(32), request, { clock, random: countingRandom() })
  const parts = token.split('.')
  assert.equal(parts.length, 4)
  const payload = JSON.parse(Buffer.from(parts[2] ?? '', 'base64url').toString())
  assert.deepEqual(payload.address, 'cloud.example:10002')
  const verdict = await verifyToken(key, parts.slice(1).join('.'), clock)
  assert.deepEqual(verdict, { ok: true, claims })
  assert.deepEqual([claims.node, claims.expires, claims.made], ['edge-1', payload.exp, clock.now()])
})

test('an expired token, one of another cloud and rubbish are refused with a reason', async () => {
  const clock = new FakeClock()
  const { text: token } = await mintToken(key, 'x', { ttl: minutes(1) }, { clock, random: countingRandom() })
  const foreign = await verifyToken(new Uint8Array(32), token, clock)
  assert.deepEqual(foreign, {
    ok: false,
    reason: 'the token is not one of this cloud, or its key was changed since: create a new one',
  })
  assert.equal((await verifyToken(key, 'rubbish', clock)).ok, false)
  assert.equal((await verifyToken(key, 'a.b.c', clock)).ok, false)
  await clock.advance(minutes(2))
  assert.deepEqual(await verifyToken(key, token, clock), {
    ok: false,
    reason: 'the token has expired: create a new one',
  })
})

test('two replicas that start together share one Secret', async () => {
  const kubernetes = new FakeKubernetes()
  let made = 0
  const ensure = () =>
    ensureSecret(
      kubernetes,
      'shared',
      (bytes) => bytes['value'] !== undefined,
      async () => ({ value: new Uint8Array([++made]) }),
      signal,
    )
  const [one, two] = await Promise.all([ensure(), ensure()])
  assert.deepEqual(one, two)
})
