import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { createInformer, type Kubernetes, type ObjectSync } from '../kubernetes/index.ts'
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

test('news of an own write that comes before its answer is nobody else’s change', async (t) => {
  const kubernetes = new FakeKubernetes()
  const ports = { kubernetes: late(kubernetes), clock: new FakeClock(), random: countingRandom(), log: silentLogger }
  const informer = createInformer(OBJECT_SYNCS, {}, { ...ports, kubernetes })
  /** Answers as the API does, but not before the watch has told of the write. */
  function late(server: FakeKubernetes): Kubernetes {
    const told = (version: string | undefined) =>
      new Promise<void>((resolve) => {
        const check = () => informer.list().some(({ metadata }) => metadata.resourceVersion === version) && resolve()
        informer.onChange(check)
      })
    return {
      ...{ get: server.get.bind(server), list: server.list.bind(server), watch: server.watch.bind(server) },
      ...{ delete: server.delete.bind(server), replace: server.replace.bind(server) },
      ...{ createBelow: server.createBelow.bind(server), review: server.review.bind(server) },
      async create(type, namespace, object) {
        const made = await server.create(type, namespace, object)
        await told(made.metadata.resourceVersion)
        return made
      },
      async patch(type, at, body, options) {
        const written = await server.patch(type, at, body, options)
        await told(written.metadata.resourceVersion)
        return written
      },
    }
  }
  const end = new AbortController()
  t.after(() => end.abort(new Error('the test is over')))
  const records = new SyncRecords({ ...ports, records: informer })
  const foreign: string[] = []
  records.ownedBy({ holds: () => true, onForeignChange: (node) => void foreign.push(node) })
  const running = [informer.run(end.signal), records.run(end.signal)]
  await informer.synced()
  const metadata = { name: 'pump', namespace: 'default', uid: 'uid-1', resourceVersion: '7' }
  const object = { apiVersion: 'v1', kind: 'Pod', metadata }
  await records.open('edge-1', object)
  records.acknowledged('edge-1', object, 'g1', 'epoch')
  const at = { namespace: 'default', name: 'edge-1.uid-1' }
  const changed = (isThere: (sync: ObjectSync) => boolean) =>
    new Promise<void>((resolve) => informer.onChange((now) => now && isThere(now) && resolve()))
  await changed(({ metadata: { annotations = {} } }) => Object.values(annotations).includes('g1'))
  assert.deepEqual(foreign, [])
  await kubernetes.patch(OBJECT_SYNCS, at, { metadata: { labels: { by: 'somebody' } } }, { type: 'merge' })
  await changed(({ metadata: { labels = {} } }) => labels['by'] === 'somebody')
  // The last answer may still be under way when the watch tells of somebody else.
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(foreign, ['edge-1'])
  end.abort(new Error('the test is over'))
  await Promise.all(running)
})
