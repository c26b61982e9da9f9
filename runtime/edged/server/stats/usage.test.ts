import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { ContainerStats } from '../../cri/runtime.ts'
import { readMemory } from './machine-use.ts'
import { prometheusText } from './prometheus-text.ts'
import { UsageMeter } from './usage.ts'

const GIB = 1024 ** 3

function bench() {
  const clock = new FakeClock()
  const state = { cpuNanoseconds: 0, calls: 0, problem: '' }
  const stats = (): ContainerStats => ({
    ...{ id: 'c', labels: {}, cpuNanoseconds: state.cpuNanoseconds, memoryBytes: GIB, diskBytes: 0, at: clock.now() },
  })
  const runtime = {
    containerStats: async () => {
      state.calls++
      if (state.problem !== '') throw new Error(state.problem)
      return [stats()]
    },
    imageFilesystems: async () => [],
  }
  const meter = new UsageMeter({ runtime, pods: () => ({ owner: 'me' }), directory: tmpdir(), clock })
  return { clock, state, meter }
}

test('the rate of a container is that since it was seen before, and a count that goes back begins anew', async () => {
  const { clock, state, meter } = bench()
  assert.equal((await meter.usage()).containers[0]?.nanoCores, undefined)
  await clock.advance(seconds(10))
  state.cpuNanoseconds = 5_000_000_000
  assert.equal((await meter.usage()).containers[0]?.nanoCores, 500_000_000)
  await clock.advance(seconds(10))
  state.cpuNanoseconds = 1
  assert.equal((await meter.usage()).containers[0]?.nanoCores, undefined)
})

test('whoever asks often does not ask the runtime often', async () => {
  const { clock, state, meter } = bench()
  await Promise.all([meter.usage(), meter.usage()])
  await clock.advance(seconds(1))
  await meter.usage()
  assert.equal(state.calls, 1)
  await clock.advance(seconds(1))
  await meter.usage()
  assert.equal(state.calls, 2)
})

test('a runtime that does not answer leaves what is known of the machine', async () => {
  const { state, meter } = bench()
  state.problem = 'it is away'
  const { problem, machine, containers } = await meter.usage()
  assert.deepEqual([problem, containers], ['it is away', []])
  assert.ok(machine.cpuNanoseconds > 0 && machine.memory.totalBytes > 0)
})

test('memory is read as Linux tells it', () => {
  const read = readMemory('MemFree:          123 kB\nInactive(file):   4 kB\nHugePages_Total:  0\n')
  assert.deepEqual(
    [...read],
    [
      ['MemFree', 125_952],
      ['Inactive(file)', 4096],
    ],
  )
})

test('labels of metrics are escaped', () => {
  const metric = {
    name: 'a',
    help: 'A.',
    type: 'gauge' as const,
    samples: [{ labels: { image: 'a"\\\n' }, value: 1.5, at: 7 }],
  }
  assert.equal(prometheusText([metric]), '# HELP a A.\n# TYPE a gauge\na{image="a\\"\\\\\\n"} 1.5 7\n')
})
