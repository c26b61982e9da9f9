import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { createInformer } from '../kubernetes/index.ts'
import { OBJECT_SYNCS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { SyncRecords } from './sync-records.ts'

test('records that cannot be made leave nothing behind', async () => {
  const kubernetes = new FakeKubernetes()
  const ports = { kubernetes, clock: new FakeClock(), random: countingRandom(), log: silentLogger }
  const records = new SyncRecords({ ...ports, records: createInformer(OBJECT_SYNCS, {}, ports) })
  kubernetes.fail('POST', 404, 100)
  for (let count = 0; count < 100; count++) {
    const metadata = { name: 'made-up', namespace: 'nowhere', uid: `uid-${count}` }
    await assert.rejects(records.open('edge-1', { apiVersion: 'v1', kind: 'Pod', metadata }))
  }
  assert.equal(records.size, 0)
})
