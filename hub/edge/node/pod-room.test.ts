import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeRuntime } from '../../../schemas/index.ts'
import type { MachineFacts } from './machine.ts'
import { machineStatus } from './node-object.ts'
import { podRoom } from './pod-room.ts'
import { DEFAULT_THRESHOLDS } from './pressure.ts'

const MIB = 1024 ** 2
const MACHINE: MachineFacts = {
  ...{ cpus: 2, memoryBytes: 1024 * MIB, diskBytes: 10_000 * MIB },
  ...{ os: 'linux', kernel: '6.1', architecture: 'x64', hostname: 'gw' },
}
const RUNTIME: NodeRuntime = {
  ...{ maxPods: 30, version: 'containerd://1.6.20', handlers: ['runc'] },
  images: [{ names: ['till@sha256:1', 'till:1'], bytes: 7 }],
  reserved: { milliCpu: 250, memoryBytes: 64 * MIB, diskBytes: 1000 * MIB },
}

test('a node offers pods what is not reserved, and what may be used before something is evicted', () => {
  const room = podRoom(MACHINE, { runtime: RUNTIME, thresholds: DEFAULT_THRESHOLDS })
  assert.deepEqual(room, {
    capacity: { cpu: '2', memory: `${1024 * 1024}Ki`, pods: '30', 'ephemeral-storage': `${10_000 * 1024}Ki` },
    allocatable: {
      cpu: '1750m',
      memory: `${(1024 - 64 - 100) * 1024}Ki`,
      pods: '30',
      'ephemeral-storage': String(8000 * MIB),
    },
    images: [{ names: ['till@sha256:1', 'till:1'], sizeBytes: 7 }],
    runtimeHandlers: [{ name: 'runc' }],
  })
})

test('more than there is cannot be reserved', () => {
  const reserved = { milliCpu: 3000, memoryBytes: 2048 * MIB, diskBytes: 10_000 * MIB }
  const runtime = { ...RUNTIME, reserved }
  const { allocatable } = podRoom(MACHINE, { runtime, thresholds: DEFAULT_THRESHOLDS })
  assert.deepEqual(allocatable, { cpu: '0', memory: '0Ki', pods: '30', 'ephemeral-storage': '0' })
})

test('where nothing runs pods there is room for none, and nothing is said of a runtime', () => {
  const { capacity, allocatable, images, nodeInfo } = machineStatus({ nodeName: 'gw', version: '0.1.0' }, MACHINE)
  assert.deepEqual(allocatable, capacity)
  assert.equal(Object(capacity).pods, '0')
  assert.deepEqual([images, Object(nodeInfo).containerRuntimeVersion], [undefined, ''])
})
