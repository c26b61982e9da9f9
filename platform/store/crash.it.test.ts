import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { healthy, lostOf, startWriter } from './testing/writer.ts'

test('every acknowledged write is there after kill -9 at any moment', async (t) => {
  for (let round = 0; round < 4; round++) {
    const file = aFile()
    const writer = startWriter(t, { file, mode: round % 2 ? 'backup' : 'add' })
    const moment = 1 + Math.floor(Math.random() * 800)
    const lines = await writer.until((line, count) => line.startsWith('ok') && count >= moment)
    await writer.kill()
    assert.deepEqual(await lostOf(lines, file), [], `killed after ${moment}`)
  }
})

test('I/O errors are said, and the store heals when the disk does', { skip: needs('prlimit') }, async (t) => {
  const file = aFile()
  const writer = startWriter(t, { file })
  const limit = (size: string) => execFileSync('prlimit', [`--fsize=${size}:`, '--pid', String(writer.child.pid)])
  await writer.until((line) => line.startsWith('ok'))
  limit('50000')
  await writer.until((line) => line === 'no PLATFORM_STORE_IO')
  limit('unlimited')
  const lines = await writer.until(healthy(300))
  await writer.kill()
  assert.deepEqual(await lostOf(lines, file), [])
})

function aFile(): string {
  return join(temporaryFolder('skerry-store-'), 'skerry.db')
}
