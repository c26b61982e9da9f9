import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { memoryFolder } from './memory-folder.ts'

test('secrets of pods are in memory where there is a folder in memory, one for each data directory', async (t) => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return t.skip('only root on Linux has it')
  const one = await memoryFolder('/var/lib/skerry', '/dev/shm')
  assert.match(one, /^\/dev\/shm\/skerry\/[0-9a-f]{16}$/)
  assert.notEqual(await memoryFolder('/var/lib/other', '/dev/shm'), one)
})

test('elsewhere they are beneath the data directory', async () => {
  const directory = temporaryFolder('skerry-memory-')
  assert.equal(await memoryFolder(directory, directory), `${directory}/edged/handouts`)
  assert.equal(await memoryFolder(directory, '/nowhere'), `${directory}/edged/handouts`)
})
