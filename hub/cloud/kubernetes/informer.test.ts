import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom, pumpDevice } from '../testing/harness.ts'
import { createInformer } from './informer.ts'
import type { ListOptions, ResourceType } from './kubernetes.ts'
import { DEVICES } from './resources.ts'

const PUMP = { namespace: 'default', name: 'pump-1' }

test('the answer of an own write that comes after the deletion does not bring the object back', async () => {
  await using informed = await startInformer()
  const { kubernetes, informer, settle } = informed
  const made = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await settle()
  const late = await kubernetes.patch(
    DEVICES,
    PUMP,
    { status: { state: 'online' } },
    { type: 'merge', subresource: 'status' },
  )
  await kubernetes.delete(DEVICES, PUMP)
  await settle()
  assert.equal(informer.get(PUMP), undefined)
  informer.absorb(late)
  assert.equal(informer.get(PUMP), undefined)

  const successor = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '2'))
  informer.absorb(successor)
  assert.equal(informer.get(PUMP)?.metadata.uid, successor.metadata.uid)
  informer.absorb(late)
  assert.equal(informer.get(PUMP)?.metadata.uid, successor.metadata.uid)
  assert.notEqual(successor.metadata.uid, made.metadata.uid)
})

test('what a watch still tells of a deleted object does not take the place of its successor that is known already', async () => {
  await using informed = await startInformer()
  const { kubernetes, informer, settle } = informed
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await settle()
  const seen: (string | undefined)[] = []
  informer.onChange((now) => seen.push(now?.metadata.uid))
  const status = { status: { state: 'online' } }
  await kubernetes.patch(DEVICES, PUMP, status, { type: 'merge', subresource: 'status' })
  await kubernetes.delete(DEVICES, PUMP)
  const successor = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '2'))
  informer.absorb(successor)
  seen.length = 0
  await settle()
  assert.deepEqual(seen, [], 'nothing but the successor is shown')
  assert.equal(informer.get(PUMP)?.metadata.uid, successor.metadata.uid)
})

test('an object made and deleted before its own creation is answered stays away', async () => {
  await using informed = await startInformer()
  const { kubernetes, informer, settle } = informed
  const made = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await kubernetes.delete(DEVICES, PUMP)
  await settle()
  informer.absorb(made)
  assert.equal(informer.get(PUMP), undefined)
})

test('an object deleted and made anew while no watch told of it is told as gone, and then as new', async () => {
  await using informed = await startInformer()
  const { kubernetes, informer, settle } = informed
  const made = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await settle()
  const told: (string | undefined)[][] = []
  informer.onChange((now, before) => {
    told.push([now?.metadata.uid, before?.metadata.uid])
    assert.equal(informer.get(PUMP)?.metadata.uid, now?.metadata.uid)
  })
  told.length = 0
  const deleting = kubernetes.delete(DEVICES, PUMP)
  const creating = kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  kubernetes.compact()
  const [, successor] = await Promise.all([deleting, creating])
  await informed.wait(500)
  const [old, fresh] = [made.metadata.uid, successor.metadata.uid]
  assert.deepEqual(told, [
    [undefined, old],
    [fresh, undefined],
  ])
  informer.absorb(made)
  assert.equal(informer.get(PUMP)?.metadata.uid, fresh)
})

test('a server that ends every watch at once is asked more and more seldom', async () => {
  await using informed = await startInformer()
  const { kubernetes, wait } = informed
  let watches = 0
  kubernetes.watch = async function* () {
    watches++
    yield* []
  }
  kubernetes.dropWatches()
  await wait(60_000)
  assert.ok(watches > 5 && watches < 30, `${watches} watches in a minute`)
})

test('a list that was made before an own write, and arrives after its answer, does not undo it', async () => {
  const kubernetes = new SlowLists()
  await using informed = await startInformer(kubernetes)
  const { informer, settle, wait } = informed
  const status = { status: { state: 'online' } }
  const made = await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await settle()
  kubernetes.fail('WATCH', 410)
  kubernetes.dropWatches()
  kubernetes.isSlow = true
  await wait(1000)
  assert.equal(kubernetes.waiting, 1)
  informer.absorb(await kubernetes.patch(DEVICES, PUMP, status, { type: 'merge', subresource: 'status' }))
  informer.absorb(await kubernetes.create(DEVICES, 'default', pumpDevice('pump-2', '1')))
  const seen: string[] = []
  informer.onChange((now, before) => seen.push(`${before?.metadata.name} ${now?.metadata.name}`))
  seen.length = 0
  kubernetes.answer()
  await settle()
  assert.deepEqual(seen, [])
  assert.equal(informer.get(PUMP)?.status?.state, 'online')
  assert.equal(informer.get(PUMP)?.metadata.uid, made.metadata.uid)
  assert.equal(informer.list().length, 2)
  await kubernetes.delete(DEVICES, { namespace: 'default', name: 'pump-2' })
  await settle()
  assert.equal(informer.list().length, 1)
})

test('a list that shows that the API went back to a backup wins over what was written before', async () => {
  await using informed = await startInformer()
  const { kubernetes, informer, settle, wait } = informed
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  const backup = kubernetes.snapshot()
  const status = { status: { state: 'online' } }
  informer.absorb(await kubernetes.patch(DEVICES, PUMP, status, { type: 'merge', subresource: 'status' }))
  informer.absorb(await kubernetes.create(DEVICES, 'default', pumpDevice('pump-2', '1')))
  await settle()
  kubernetes.restore(backup)
  await wait(1000)
  assert.equal(informer.get(PUMP)?.status?.state, undefined)
  assert.equal(informer.list().length, 1)
})

/** Lists are made at once and arrive when they are let go. */
class SlowLists extends FakeKubernetes {
  isSlow = false
  waiting = 0
  answer = (): void => undefined

  override async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions) {
    const list = await super.list(type, options)
    if (!this.isSlow) return list
    this.waiting++
    await new Promise<void>((resolve) => {
      this.answer = resolve
    })
    return list
  }
}

async function startInformer(kubernetes = new FakeKubernetes()) {
  const clock = new FakeClock()
  const stopping = new AbortController()
  const informer = createInformer(DEVICES, {}, { kubernetes, clock, random: countingRandom(), log: silentLogger })
  const work = informer.run(stopping.signal)
  const settle = () => clock.advance(ms(2))
  await settle()
  return {
    kubernetes,
    informer,
    settle,
    wait: (milliseconds: number) => clock.advance(ms(milliseconds)),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await work
    },
  }
}
