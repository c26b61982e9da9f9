import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../../platform/time/index.ts'
import { arrayAt, conditionOf, isDeleting, objectAt } from '../../../kube/object/index.ts'
import { defaultTolerations } from '../../admission/default-tolerations.ts'
import { startApiBench } from '../../testing/api-bench.ts'
import { podOn, TestNode } from '../../testing/nodes.ts'
import { lostPods } from './lost-pods.ts'
import { nodeLifecycle } from './node-lifecycle.ts'
import { taintEviction } from './taint-eviction.ts'

const FOREVER = { operator: 'Exists' }
const BRIEFLY = { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 20 }

async function twoNodes() {
  const bench = await startApiBench([nodeLifecycle, taintEviction, lostPods], [defaultTolerations])
  const silent = new TestNode(bench, 'silent')
  const other = new TestNode(bench, 'other')
  await silent.join()
  await other.join()
  await bench.clock.advance(seconds(1))
  const isAsked = (name: string) => {
    const pod = bench.get(podOn('silent', name))
    return pod === undefined || isDeleting(pod)
  }
  return { bench, silent, other, isAsked }
}

test('a new pod tolerates a lost node for 300 s unless it says otherwise', async () => {
  const { bench } = await twoNodes()
  const tolerationsOf = async (name: string, given: readonly object[] = []) => {
    const made = await bench.create(podOn('other', name, given))
    return arrayAt(objectAt(made, 'spec'), 'tolerations')
  }
  assert.deepEqual(await tolerationsOf('plain'), [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ])
  assert.deepEqual(await tolerationsOf('forever', [FOREVER]), [FOREVER])
  const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }
  assert.equal((await tolerationsOf('own', [own])).length, 2)
  await bench[Symbol.asyncDispose]()
})

test('pods leave a node that is lost after the time that each of them tolerates', async () => {
  const { bench, other, isAsked } = await twoNodes()
  await bench.create(podOn('silent', 'brief', [BRIEFLY]))
  await bench.create(podOn('silent', 'plain'))
  await bench.create(podOn('silent', 'forever', [FOREVER]))
  await other.live(45)
  assert.deepEqual(['brief', 'plain', 'forever'].map(isAsked), [false, false, false])
  await other.live(20)
  assert.deepEqual(['brief', 'plain', 'forever'].map(isAsked), [true, false, false])
  const brief = bench.get(podOn('silent', 'brief'))
  assert.ok(brief, 'it is still there: its node has to say that it has ended')
  assert.equal(conditionOf(brief, 'DisruptionTarget')?.['reason'], 'DeletionByTaintManager')
  await other.live(290)
  assert.deepEqual(['brief', 'plain', 'forever'].map(isAsked), [true, true, false])
  await bench[Symbol.asyncDispose]()
})

test('a node that is back in time keeps its pods, and the time begins anew when it is lost again', async () => {
  const { bench, silent, other, isAsked } = await twoNodes()
  await bench.create(podOn('silent', 'plain'))
  await other.live(240)
  await silent.post()
  await silent.live(120, [other])
  assert.equal(isAsked('plain'), false)
  await other.live(200)
  assert.equal(isAsked('plain'), false)
  await bench[Symbol.asyncDispose]()
})

test('a pod that comes to a node which evicts goes too', async () => {
  const { bench, other, isAsked } = await twoNodes()
  await other.live(50)
  await bench.create(podOn('silent', 'late', [BRIEFLY]))
  await other.live(10)
  assert.equal(isAsked('late'), false)
  await other.live(20)
  assert.equal(isAsked('late'), true)
  await bench[Symbol.asyncDispose]()
})

test('pods of a Node that was deleted go 40 s later, those of one that came back stay', async () => {
  const { bench, silent, other } = await twoNodes()
  await bench.create(podOn('silent', 'web'))
  await bench.create(podOn('other', 'elsewhere'))
  await bench.remove(silent.object)
  await other.live(30)
  await bench.create(silent.object)
  await silent.post()
  await silent.live(60, [other])
  assert.ok(bench.get(podOn('silent', 'web')))
  await bench.remove(silent.object)
  await other.live(39)
  assert.ok(bench.get(podOn('silent', 'web')))
  await other.live(3)
  assert.equal(bench.get(podOn('silent', 'web')), undefined)
  assert.ok(bench.get(podOn('other', 'elsewhere')))
  await bench[Symbol.asyncDispose]()
})

test('a pod that waits for the end on a node that is gone goes with it, also after a restart', async () => {
  const { bench, silent, other } = await twoNodes()
  await bench.create(podOn('silent', 'web'))
  await bench.remove(podOn('silent', 'web'))
  await bench.remove(silent.object)
  await bench.restart()
  await other.live(30)
  assert.ok(bench.get(podOn('silent', 'web')))
  await bench.clock.advance(minutes(1))
  assert.equal(bench.get(podOn('silent', 'web')), undefined)
  await bench[Symbol.asyncDispose]()
})
