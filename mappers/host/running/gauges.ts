import type { Metrics } from '../../../platform/health/index.ts'
import type { MapperEntry } from '../../../schemas/index.ts'
import type { Beat } from './messages.ts'

const STATES: readonly MapperEntry['state'][] = ['loading', 'idle', 'running', 'restarting', 'broken']

/** What is to be seen of one mapper from outside of it. */
export interface Gauges {
  /** Undefined: there is nothing under this name any more. */
  state(state: MapperEntry['state'] | undefined, devices: number): void
  memory(memory: NonNullable<Beat['memory']>): void
  crashed(): void
  restarted(): void
}

export function gaugesOf(metrics: Metrics, mapper: string): Gauges {
  const state = metrics.gauge({
    name: 'skerry_mapper_state',
    help: '1 for the state that a mapper is in: loading, idle, running, restarting or broken.',
    labels: ['mapper', 'state'],
  })
  const devices = metrics.gauge({
    name: 'skerry_mapper_devices',
    help: 'Devices of this node that a mapper serves.',
    labels: ['mapper'],
  })
  const heap = metrics.gauge({
    name: 'skerry_mapper_heap_bytes',
    help: 'JavaScript heap in use in the thread or process of a mapper; 0 while it does not run.',
    labels: ['mapper'],
  })
  const buffers = metrics.gauge({
    name: 'skerry_mapper_buffer_bytes',
    help: 'Buffers outside the heap in the thread or process of a mapper; 0 while it does not run.',
    labels: ['mapper'],
  })
  const crashes = metrics.counter({
    name: 'skerry_mapper_crashes_total',
    help: 'How often a mapper ended that should have run.',
    labels: ['mapper'],
  })
  const restarts = metrics.counter({
    name: 'skerry_mapper_restarts_total',
    help: 'How often a mapper was started again after a crash.',
    labels: ['mapper'],
  })
  const labels = { mapper }
  crashes.add(0, labels)
  restarts.add(0, labels)
  return {
    state(now, count) {
      for (const each of STATES) state.set(each === now ? 1 : 0, { mapper, state: each })
      devices.set(count, labels)
      if (now === 'running') return
      heap.set(0, labels)
      buffers.set(0, labels)
    },
    memory(memory) {
      heap.set(memory.heap, labels)
      buffers.set(memory.buffers, labels)
    },
    crashed: () => crashes.add(1, labels),
    restarted: () => restarts.add(1, labels),
  }
}
