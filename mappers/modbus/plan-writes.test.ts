import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { apart, planWrites, type Write } from './plan-writes.ts'
import { deviceOf, orderOf } from './testing/configs.ts'

/** What stands in the tables after the writes, one after the other. */
function tablesAfter(writes: readonly Write[]): ReadonlyMap<string, number> {
  const tables = new Map<string, number>()
  for (const write of writes) {
    if (write.kind === 'bits') {
      const place = `registers ${write.start}`
      tables.set(place, ((tables.get(place) ?? 0) & ~write.change.mask) | write.change.bits)
    } else {
      const list = write.kind === 'coils' ? write.values.map(Number) : write.words
      for (const [index, each] of list.entries()) tables.set(`${write.kind} ${write.start + index}`, each)
    }
  }
  return new Map([...tables].sort())
}

const shape = (writes: readonly Write[]) =>
  writes.map(
    (write) =>
      `${write.kind} ${write.start}+${write.kind === 'bits' ? 1 : write.kind === 'coils' ? write.values.length : write.words.length}`,
  )

const orders = fc
  .array(
    fc.record({
      kind: fc.constantFrom('coil', 'word', 'long', 'bits'),
      offset: fc.integer({ min: 0, max: 12 }),
      value: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 30 },
  )
  .map((list) => {
    const device = deviceOf({ maxWriteRegisters: 4 })
    return list.map(({ kind, offset, value }) => {
      if (kind === 'coil') return orderOf(device, { register: 'CoilRegister', offset }, value > 1, 'BOOLEAN')
      if (kind === 'bits') return orderOf(device, { offset, bit: value, bitCount: 2 }, value)
      return orderOf(device, { offset, dataType: kind === 'long' ? 'uint32' : 'uint16' }, value)
    })
  })

describe('the plan of writes', () => {
  it('leaves the same in the device as single writes in their order', () => {
    fc.assert(
      fc.property(orders, (list) => {
        const { writes, refusals } = planWrites(list)
        assert.equal(refusals.length, 0)
        const single = list.flatMap((order) => planWrites([order]).writes)
        assert.deepEqual(tablesAfter(writes), tablesAfter(single))
        assert.deepEqual(
          writes.flatMap((write) => write.orders),
          list,
        )
        assert.deepEqual(tablesAfter(writes.flatMap(apart)), tablesAfter(single))
        for (const write of writes) if (write.kind === 'registers') assert.ok(write.words.length <= 4)
      }),
    )
  })

  it('merges neighbours that follow each other upwards, and never lets a lower register overtake an earlier order', () => {
    const device = deviceOf()
    const at = (offset: number) => orderOf(device, { offset, dataType: 'uint16' }, 1)
    assert.deepEqual(shape(planWrites([at(0), at(1), at(2), at(7), at(6)]).writes), [
      'registers 0+3',
      'registers 7+1',
      'registers 6+1',
    ])
    // A later order for the same register stays later.
    assert.deepEqual(shape(planWrites([at(0), at(0), at(1)]).writes), ['registers 0+1', 'registers 0+2'])
    const single = deviceOf({ writeFunction: 'single' })
    assert.equal(planWrites([0, 1].map((offset) => orderOf(single, { offset }, 1))).writes.length, 2)
  })

  it('refuses what can never be written, and writes the rest', () => {
    const device = deviceOf()
    const bad = orderOf(device, { register: 'InputRegister', offset: 0 }, 1)
    const large = orderOf(device, { offset: 1, dataType: 'uint16' }, 70_000)
    const good = orderOf(device, { offset: 2, dataType: 'uint16' }, 7)
    const { writes, refusals } = planWrites([bad, large, good])
    assert.deepEqual(
      refusals.map(({ error }) => error.message),
      ['InputRegister cannot be written', '70000 does not fit into uint16'],
    )
    assert.deepEqual(shape(writes), ['registers 2+1'])
  })
})
