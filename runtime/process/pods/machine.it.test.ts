import assert from 'node:assert/strict'
import { statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { test } from 'node:test'
import { loadConfig } from '../../../platform/config/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { EdgeConfig } from '../../../schemas/config/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { machineOf } from './machine.ts'

test('pods may have what is not reserved, and of the disk what may be used before pods are evicted', async () => {
  const text = `node: {name: e, address: 192.0.2.7, pressure: {memoryBytes: 1000, diskPercent: 20}}
edged: {reserved: {milliCpu: 250, memoryBytes: 5000}}`
  const config = await loadConfig({ schema: EdgeConfig, text })
  const directory = temporaryFolder()
  const machine = await machineOf(config, directory, new FakeClock())
  const { blocks, bsize } = await statfs(directory)
  assert.deepEqual(machine(), {
    hostIps: ['192.0.2.7'],
    allocatable: {
      milliCpu: cpus().length * 1000 - 250,
      memoryBytes: totalmem() - 6000,
      diskBytes: Math.floor(blocks * bsize * 0.8),
    },
  })
})
