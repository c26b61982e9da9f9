import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { VisitId } from '../contract/index.ts'
import { decode } from './codec.ts'
import { visitorConfig } from './config.ts'
import { MOST_BITS, MOST_REGISTERS, type ModbusVisit, placeOf, planBlocks } from './plan.ts'

function idOf(text: string): VisitId
function idOf(text: string): string {
  return text
}

let ids = 0
function visit(unitId: number, register: string, offset: number, dataType: string): ModbusVisit {
  const parsed = visitorConfig.parse({ register, offset, dataType })
  assert.ok(parsed.ok)
  return {
    id: idOf(`v${++ids}`),
    device: { host: 'h', port: 502, unitId, timeout: 2000, mode: 'TCP' },
    property: { name: 'p', type: 'INT', accessMode: 'ReadOnly' },
    visitor: parsed.value,
  }
}

const visits = fc.array(
  fc
    .record({
      unit: fc.integer({ min: 1, max: 2 }),
      bit: fc.boolean(),
      high: fc.boolean(),
      offset: fc.integer({ min: 0, max: 400 }),
      type: fc.constantFrom('int16', 'uint32', 'int64', 'uint64'),
    })
    .map(({ unit, bit, high, offset, type }) =>
      bit
        ? visit(unit, high ? 'CoilRegister' : 'DiscreteInputRegister', offset, 'bool')
        : visit(unit, high ? 'HoldingRegister' : 'InputRegister', offset, type),
    ),
  { maxLength: 80 },
)

/** Every address of every table holds another number. */
const read = (block: { unitId: number; start: number; length: number }) =>
  Array.from({ length: block.length }, (_, index) => ((block.start + index) * 7919 + block.unitId) & 0xffff)

function valuesOf(blocks: ReturnType<typeof planBlocks>): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  for (const block of blocks) {
    const words = read(block)
    for (const { visit: each, layout } of block.visits) {
      const first = each.visitor.offset - block.start
      values.set(each.id, decode(words.slice(first, first + layout.length), layout, each.visitor))
    }
  }
  return values
}

describe('the Modbus planner', () => {
  it('reads in blocks what single reads would read', () => {
    fc.assert(
      fc.property(visits, (list) => {
        const merged = planBlocks(list)
        const single = planBlocks(list, new Set(list.map(placeOf)))
        assert.equal(single.length, list.length)
        assert.deepEqual(new Map([...valuesOf(merged)].sort()), new Map([...valuesOf(single)].sort()))
        for (const { table, length } of merged) {
          assert.ok(length <= (table.startsWith('Coil') || table.startsWith('Discrete') ? MOST_BITS : MOST_REGISTERS))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('asks once for neighbours, and never for a register between them that nobody wants', () => {
    const list = [0, 1, 2, 4].map((offset) => visit(1, 'HoldingRegister', offset, 'uint16'))
    const blocks = planBlocks(list.toReversed())
    assert.deepEqual(
      blocks.map(({ start, length }) => [start, length]),
      [
        [0, 3],
        [4, 1],
      ],
    )
  })

  it('starts a new request at 125 registers and at 2000 bits', () => {
    const registers = Array.from({ length: 200 }, (_, offset) => visit(1, 'InputRegister', offset, 'uint16'))
    const coils = Array.from({ length: 2001 }, (_, offset) => visit(1, 'CoilRegister', offset, 'bool'))
    assert.deepEqual(
      planBlocks([...registers, ...coils]).map(({ length }) => length),
      [2000, 1, 125, 75],
    )
  })
})
