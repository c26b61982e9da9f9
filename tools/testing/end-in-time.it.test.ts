import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LIMIT } from './end-in-time.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('a test file that leaves something open is ended with what that is; one that ends by itself is not kept', () => {
  const run = (code: string) => {
    const file = join(temporaryFolder(), 'some.test.ts')
    writeFileSync(file, code)
    const tool = new URL('./end-in-time.ts', import.meta.url).href
    const env = { ...process.env, [LIMIT]: '500' }
    return spawnSync(process.execPath, ['--import', tool, file], { env, encoding: 'utf8', timeout: 60_000 })
  }
  const hanging = run("import { createServer } from 'node:net'\ncreateServer().listen(0, '127.0.0.1')\n")
  assert.equal(hanging.status, 70)
  assert.match(hanging.stderr, /did not end within 0.5 s. Still open: .*TCPServerWrap/)
  assert.equal(run('').status, 0)
})
