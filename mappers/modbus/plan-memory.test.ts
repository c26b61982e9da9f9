import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Learned } from './learned.ts'
import { PlanMemory } from './plan-memory.ts'
import { deviceOf, visitOf } from './testing/configs.ts'

const visits = [0, 1, 2].map((offset) => visitOf(deviceOf(), { offset, dataType: 'uint16' }))

function remembered() {
  let now = 1_000_000
  const learned = new Learned(() => now)
  const memory = new PlanMemory(learned)
  const place = memory.planOf(visits).blocks[0]?.visits[1]?.place ?? assert.fail()
  const shape = () => {
    const { blocks, failures } = memory.planOf(visits)
    return [...blocks.map(({ start, length }) => `${start}+${length}`), ...failures.map(() => 'failed')]
  }
  return { learned, memory, place, shape, pass: (milliseconds: number) => (now += milliseconds) }
}

describe('a remembered plan', () => {
  it('is the same as long as nothing is learned, also beside a bad place', () => {
    const { learned, memory, place, pass } = remembered()
    assert.equal(memory.planOf(visits), memory.planOf([...visits]))
    learned.refused(place, new Error('no such register'))
    const plan = memory.planOf(visits)
    pass(9999)
    assert.equal(memory.planOf(visits), plan)
  })

  it('is made anew when something is learned, and when that is over', () => {
    const { learned, place, shape, pass } = remembered()
    assert.deepEqual(shape(), ['0+3'])
    learned.refused(place, new Error('no such register'))
    assert.deepEqual(shape(), ['0+1', '2+1', 'failed'])
    pass(10_000)
    assert.deepEqual(shape(), ['0+1', '1+1', '2+1'])
    learned.good(place)
    learned.cut(place)
    assert.deepEqual(shape(), ['0+1', '1+2'])
    pass(60_000)
    assert.deepEqual(shape(), ['0+3'])
  })

  it('does not outlive a clock that is set back', () => {
    const { learned, place, shape, pass } = remembered()
    learned.refused(place, new Error('no such register'))
    learned.cut(place)
    assert.deepEqual(shape(), ['0+1', '2+1', 'failed'])
    pass(-500_000)
    assert.deepEqual(shape(), ['0+1', '1+1', '2+1'])
  })
})
