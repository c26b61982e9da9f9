import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../platform/log/index.ts'
import type { Store, StoreCall } from '../../platform/store/index.ts'
import type { DeviceId, Twin } from '../../schemas/index.ts'
import { settle } from '../testing/edge.ts'
import { type StepOutcome, TwinKeeper } from './keeper.ts'

/** A keeper on a disk that refuses what `refuses` says, and what it was asked to write. */
function keeperOn(refuses: (ids: readonly DeviceId[]) => boolean) {
  const writes: (readonly DeviceId[])[] = []
  const store: Store = {
    async write(calls: readonly StoreCall[]) {
      const ids = calls.map(({ parameters }) => String(parameters[0]))
      writes.push(ids)
      if (refuses(ids)) throw new Error('no space')
    },
    read: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  }
  const none = () => undefined
  const keeper = new TwinKeeper({ store, log: silentLogger, onCommitted: none, onFailed: none, onRefused: none })
  return { keeper, writes }
}

const twinOf = (id: DeviceId, revision: number): Twin => ({
  ...{ id, uid: 'u', description: '', generation: 1, state: 'unknown', properties: {}, revision },
})

function grow(keeper: TwinKeeper, id: DeviceId): Promise<StepOutcome> {
  return new Promise((done) => {
    keeper.do(id, { apply: (twin) => twinOf(id, (twin?.revision ?? 0) + 1), done })
  })
}

test('devices that change in the same turn share a write, and steps of one device a twin', async () => {
  const { keeper, writes } = keeperOn(() => false)
  await Promise.all(['a', 'b', 'a', 'c', 'a'].map((id) => grow(keeper, id)))
  assert.deepEqual(writes, [['a', 'b', 'c']])
  assert.equal(keeper.get('a')?.revision, 3)
})

test('a twin that cannot be written does not fail those that shared its write', async () => {
  const { keeper, writes } = keeperOn((ids) => ids.includes('bad'))
  const [good, bad, fine] = await Promise.all(['good', 'bad', 'fine'].map((id) => grow(keeper, id)))
  assert.deepEqual([good?.ok, bad?.ok, fine?.ok], [true, false, true])
  assert.deepEqual(writes, [['good', 'bad', 'fine'], ['good'], ['bad'], ['fine']])
  assert.deepEqual([keeper.get('good')?.revision, keeper.get('bad')], [1, undefined])
})

test('what comes while a device is being written goes into its next write; reads wait for no disk', async () => {
  const { keeper, writes } = keeperOn(() => false)
  const order: string[] = []
  const first = grow(keeper, 'a').then(() => order.push('first'))
  await settle()
  const second = grow(keeper, 'a').then(() => order.push('second'))
  await Promise.all([first, second, keeper.idle()])
  assert.deepEqual(order, ['first', 'second'])
  assert.deepEqual([keeper.waiting, writes], [0, [['a'], ['a']]])
  const read = await new Promise<StepOutcome>((done) => keeper.do('a', { apply: (twin) => twin, done }))
  assert.ok(read.ok && read.before === read.after && read.after?.revision === 2)
  assert.equal(writes.length, 2)
})

test('no twin begins below one that is gone: not when its device is removed, nor when another takes its name', async () => {
  const { keeper, writes } = keeperOn((ids) => ids.includes('bad'))
  const become = (id: DeviceId, twin: Twin | undefined) =>
    new Promise<StepOutcome>((done) => keeper.do(id, { apply: () => twin, done }))
  keeper.load([twinOf('a', 7), twinOf('b', 9), twinOf('bad', 50)], 3)
  assert.equal(keeper.floor, 3)
  await become('bad', undefined)
  assert.equal(keeper.floor, 3, 'only what is on disk counts')
  await become('a', undefined)
  assert.equal(keeper.floor, 7)
  await become('b', { ...twinOf('b', 8), uid: 'another' })
  assert.equal(keeper.floor, 9)
  assert.deepEqual(writes.at(-1), ['b', '9'])
})
