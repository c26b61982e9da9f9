import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { TokenLedger } from './token-ledger.ts'

test('a token of one node is good for one key, in the eyes of every replica', async () => {
  const ports = { kubernetes: new FakeKubernetes(), clock: new FakeClock() }
  const ledger = new TokenLedger(ports)
  const claims = { id: 'id-1', expires: Math.floor(ports.clock.now() / 1000) + 60, node: 'edge-1' }
  await ledger.record(claims)
  const replica = new TokenLedger(ports)
  assert.deepEqual(await replica.list().then((all) => all.map(({ id }) => id)), ['id-1'])
  assert.equal((await ledger.redeem(claims, 'key-1')).ok, true)
  assert.equal((await replica.redeem(claims, 'key-1')).ok, true)
  assert.equal((await replica.redeem(claims, 'key-2')).ok, false)
})
