import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decode } from './codec.ts'
import { Learned } from './learned.ts'
import { type Block, planReads, requestsOf, splitBlock } from './plan.ts'
import { isBitTable } from './tables.ts'
import { deviceOf, visitOf } from './testing/configs.ts'
import type { ModbusVisit } from './visit.ts'

const limits = fc.record({
  maxRegisters: fc.integer({ min: 1, max: 125 }),
  maxBits: fc.integer({ min: 1, max: 2000 }),
  maxGap: fc.integer({ min: 0, max: 120 }),
})

const place = fc.record({
  unit: fc.integer({ min: 1, max: 2 }),
  isBit: fc.boolean(),
  high: fc.boolean(),
  offset: fc.integer({ min: 0, max: 400 }),
  dataType: fc.constantFrom('int16', 'uint32', 'int64', 'uint64', 'string'),
})

const visits = fc.tuple(limits, fc.array(place, { maxLength: 80 })).map(([limit, places]) => {
  const devices = [1, 2].map((unitId) => deviceOf({ unitId, ...limit }))
  return places.map(({ unit, isBit, high, offset, dataType }) =>
    isBit
      ? visitOf(devices[unit - 1] ?? assert.fail(), {
          register: high ? 'CoilRegister' : 'DiscreteInputRegister',
          offset,
          dataType: 'bool',
        })
      : visitOf(
          devices[unit - 1] ?? assert.fail(),
          {
            register: high ? 'HoldingRegister' : 'InputRegister',
            offset,
            dataType,
            ...(dataType === 'string' ? { limit: 9 } : {}),
          },
          dataType === 'string' ? 'BYTES' : 'INT',
        ),
  )
})

/** Every address of every table holds another number. */
const read = (block: Block) =>
  requestsOf(block).flatMap(({ start, length }) =>
    Array.from({ length }, (_, index) => ((start + index) * 7919 + block.device.unitId) & 0xffff),
  )

function valuesOf(blocks: readonly Block[]): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  for (const block of blocks) {
    const words = read(block)
    assert.equal(words.length, block.length)
    for (const { visit, layout } of block.visits) {
      const first = visit.visitor.offset - block.start
      values.set(visit.id, decode(words.slice(first, first + layout.length), layout, visit.visitor))
    }
  }
  return values
}

const sortedValues = (blocks: readonly Block[]) => new Map([...valuesOf(blocks)].sort())
const separately = (list: readonly ModbusVisit[]) => list.flatMap((visit) => planReads([visit]).blocks)
const stretches = (blocks: readonly Block[]) => blocks.map(({ start, length }) => [start, length])
const holding = (offsets: readonly number[], limit: object = {}) => {
  const device = deviceOf(limit)
  return offsets.map((offset) => visitOf(device, { offset, dataType: 'uint16' }))
}

describe('the Modbus planner', () => {
  it('reads in blocks what single reads would read, within the limits of the device', () => {
    fc.assert(
      fc.property(visits, (list) => {
        const { blocks } = planReads(list)
        assert.deepEqual(sortedValues(blocks), sortedValues(separately(list)))
        for (const block of blocks) {
          const most = isBitTable(block.table) ? block.device.maxBits : block.device.maxRegisters
          for (const { length } of requestsOf(block)) assert.ok(length >= 1 && length <= most)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('reads the same after any refusals', () => {
    fc.assert(
      fc.property(visits, fc.array(fc.nat()), (list, numbers) => {
        const learned = new Learned(() => 0)
        const all = planReads(list).blocks.flatMap((block) => block.visits)
        for (const [index, number] of numbers.entries()) {
          const planned = all[number % Math.max(1, all.length)]
          if (planned)
            index % 2 === 0 ? learned.cut(planned.place) : learned.refused(planned.place, new Error('refused'))
        }
        const { blocks, failures } = planReads(list, learned)
        const failing = new Set(failures.map(({ visit }) => visit.id))
        const left = list.filter(({ id }) => !failing.has(id))
        assert.deepEqual(sortedValues(blocks), sortedValues(separately(left)))
        for (const { visits: served } of blocks) assert.ok(served.every(({ place: at }) => !learned.isOnProbation(at)))
      }),
      { numRuns: 60 },
    )
  })

  it('parts a refused block into two that serve the same visits', () => {
    fc.assert(
      fc.property(visits, (list) => {
        for (const block of planReads(list).blocks) {
          const halves = splitBlock(block)
          assert.equal(halves === undefined, block.visits.length === 1)
          if (halves) assert.deepEqual(sortedValues(halves), sortedValues([block]))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('asks once for neighbours, and never for a register between them that nobody wants', () => {
    assert.deepEqual(stretches(planReads(holding([4, 2, 1, 0])).blocks), [
      [0, 3],
      [4, 1],
    ])
  })

  it('reads over a gap where the device allows it, and parts there first when that is refused', () => {
    const { blocks } = planReads(holding([0, 1, 2, 3, 6, 7, 20], { maxGap: 2 }))
    assert.deepEqual(stretches(blocks), [
      [0, 8],
      [20, 1],
    ])
    assert.deepEqual(stretches(splitBlock(blocks[0] ?? assert.fail()) ?? []), [
      [0, 4],
      [6, 2],
    ])
  })

  it('starts a new request at 125 registers and at 2000 bits', () => {
    const device = deviceOf()
    const registers = Array.from({ length: 200 }, (_, offset) => visitOf(device, { register: 'InputRegister', offset }))
    const coils = Array.from({ length: 2001 }, (_, offset) =>
      visitOf(device, { register: 'CoilRegister', offset }, 'BOOLEAN'),
    )
    assert.deepEqual(
      planReads([...registers, ...coils]).blocks.map(({ length }) => length),
      [2000, 1, 125, 75],
    )
  })

  it('reads a long value in pieces where the device answers single registers only', () => {
    const [block] = planReads([visitOf(deviceOf({ maxRegisters: 1 }), { offset: 5, dataType: 'uint32' })]).blocks
    assert.deepEqual(requestsOf(block ?? assert.fail()), [
      { start: 5, length: 1 },
      { start: 6, length: 1 },
    ])
  })

  it('leaves a bad register alone, and asks for it by itself after a while', () => {
    let now = 0
    const learned = new Learned(() => now)
    const list = holding([0, 1, 2, 3], { maxGap: 9 })
    const bad = planReads(list).blocks[0]?.visits[1]?.place ?? assert.fail()
    learned.refused(bad, new Error('no such register'))
    const plan = () => stretches(planReads(list, learned).blocks)
    assert.deepEqual(plan(), [
      [0, 1],
      [2, 2],
    ])
    assert.match(planReads(list, learned).failures[0]?.error.message ?? '', /no such register/)
    now += 10_000
    assert.deepEqual(plan(), [
      [0, 1],
      [1, 1],
      [2, 2],
    ])
    learned.refused(bad, new Error('still none'))
    now += 10_000
    assert.equal(plan().length, 2)
    now += 10_000
    assert.equal(plan().length, 3)
    learned.good(bad)
    assert.deepEqual(plan(), [[0, 4]])
  })
})
