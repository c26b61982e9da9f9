import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lane } from './lanes.ts'

const never = new AbortController().signal

function setup(options: Partial<ConstructorParameters<typeof Lane>[0]> = {}) {
  const lane = new Lane({ atOnce: 2, perNode: 2, waitingPerNode: 100, ...options })
  const inside = new Map<string, Disposable>()
  const order: string[] = []
  const enter = (node: string, key: string, signal: AbortSignal = never) => {
    const entering = lane.enter({ node, key }, signal)
    void entering?.then(
      (leave) => {
        order.push(`${node} ${key}`)
        inside.set(`${node} ${key}`, leave)
      },
      () => order.push(`${node} ${key} gave up`),
    )
    return entering !== undefined
  }
  const leave = async (name: string) => {
    inside.get(name)?.[Symbol.dispose]()
    await Promise.resolve()
    await Promise.resolve()
  }
  return { lane, enter, leave, order }
}

test('a node that asks for much waits behind one that asks for little', async () => {
  const { enter, leave, order } = setup({ atOnce: 1 })
  for (const key of ['1', '2', '3', '4']) enter('loud', key)
  enter('quiet', '1')
  await leave('')
  await leave('loud 1')
  await leave('quiet 1')
  assert.deepEqual(order, ['loud 1', 'quiet 1', 'loud 2'])
})

test('one node never takes all places, and the same key keeps its order', async () => {
  const { lane, enter, leave, order } = setup({ atOnce: 10, perNode: 2 })
  enter('a', 'x')
  enter('a', 'x')
  enter('a', 'y')
  enter('a', 'z')
  await leave('')
  assert.deepEqual(order, ['a x', 'a y'])
  await leave('a y')
  assert.deepEqual(order, ['a x', 'a y', 'a z'])
  await leave('a x')
  assert.deepEqual(order, ['a x', 'a y', 'a z', 'a x'])
  assert.equal(lane.underWay, 2)
})

test('what waits is bounded node by node, and gives up with its signal', async () => {
  const { lane, enter, leave, order } = setup({ atOnce: 1, waitingPerNode: 2 })
  const stop = new AbortController()
  assert.deepEqual(
    [enter('a', '1'), enter('a', '2', stop.signal), enter('a', '3'), enter('a', '4'), enter('b', '1')],
    [true, true, true, false, true],
  )
  assert.equal(lane.depth, 3)
  stop.abort(new Error('late'))
  await leave('a 1')
  await leave('a 1')
  await leave('b 1')
  assert.deepEqual(order, ['a 1', 'a 2 gave up', 'b 1', 'a 3'])
  await leave('a 3')
  assert.deepEqual([lane.depth, lane.underWay], [0, 0])
})
