import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { SECRETS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { ensureSecret, SYSTEM_NAMESPACE } from './secrets.ts'
import { mintToken, verifyToken } from './tokens.ts'
import { redeemOnce, USED_TOKENS_SECRET } from './used-tokens.ts'

const key = new Uint8Array(32).fill(7)
const { signal } = new AbortController()

test('a token has four parts, and its claims come back from the last three', async () => {
  const clock = new FakeClock()
  const request = { node: 'edge-1', ttl: minutes(1), address: 'cloud.example:10002' }
  const token = await mintToken(key, 'ab'.repeat(32), request, { clock, random: countingRandom() })
  const parts = token.split('.')
  assert.equal(parts.length, 4)
  const payload = JSON.parse(Buffer.from(parts[2] ?? '', 'base64url').toString())
  assert.deepEqual(payload.address, 'cloud.example:10002')
  const verdict = await verifyToken(key, parts.slice(1).join('.'), clock)
  assert.deepEqual(verdict.ok && [verdict.claims.node, verdict.claims.expires], ['edge-1', payload.exp])
})

test('an expired token, one of another cloud and rubbish are refused with a reason', async () => {
  const clock = new FakeClock()
  const token = await mintToken(key, 'x', { ttl: minutes(1) }, { clock, random: countingRandom() })
  const foreign = await verifyToken(new Uint8Array(32), token, clock)
  assert.deepEqual(foreign, { ok: false, reason: 'the token is not one of this cloud' })
  assert.equal((await verifyToken(key, 'rubbish', clock)).ok, false)
  assert.equal((await verifyToken(key, 'a.b.c', clock)).ok, false)
  await clock.advance(minutes(2))
  assert.deepEqual(await verifyToken(key, token, clock), {
    ok: false,
    reason: 'the token has expired: create a new one',
  })
})

test('a used token works again for the same key only, and is forgotten after its end', async () => {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const claims = { id: 't1', expires: clock.now() / 1000 + 60, node: 'edge-1' }
  const redeem = (id: string, keyOf: string) => redeemOnce(kubernetes, clock, { ...claims, id }, keyOf, signal)
  assert.equal(await redeem('t1', 'key-a'), true)
  assert.equal(await redeem('t1', 'key-a'), true)
  assert.equal(await redeem('t1', 'key-b'), false)
  await clock.advance(minutes(2))
  kubernetes.fail(`PUT secrets ${SYSTEM_NAMESPACE}/${USED_TOKENS_SECRET}`, 409)
  assert.equal(await redeem('t2', 'key-c'), true, 'a conflict is tried again')
  const secret = await kubernetes.get(SECRETS, { namespace: SYSTEM_NAMESPACE, name: USED_TOKENS_SECRET })
  assert.deepEqual(Object.keys(secret?.data ?? {}), ['t2'])
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
