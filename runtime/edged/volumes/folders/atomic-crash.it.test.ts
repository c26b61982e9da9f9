import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { needsLinux } from '../testing/needs-mounts.ts'
import { writeAtomicFolder } from './atomic-folder.ts'

const WRITER = fileURLToPath(new URL('../testing/writer.ts', import.meta.url))

test('killed at any moment, a volume is one whole version, and the next write makes it whole and clean', {
  skip: needsLinux(),
  timeout: 120_000,
}, async () => {
  const folder = join(temporaryFolder(), 'v')
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, [WRITER, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    for (let heard = 0; heard <= kill % 3; heard++) await once(child.stdout, 'data')
    // Somewhere within a write: so much is done by this process meanwhile.
    for (let turn = 0; turn < kill * 7; turn++) await new Promise((resolve) => setImmediate(resolve))
    child.kill('SIGKILL')
    await once(child, 'close')
    const current = join(folder, '..data')
    const found = readdirSync(current)
    const text = readFileSync(join(current, 'key-0'), 'utf8')
    assert.equal(found.length, 21)
    for (const name of found) assert.equal(readFileSync(join(current, name), 'utf8'), text)
    await writeAtomicFolder(folder, new Map([['healed', { data: Buffer.from('x'), mode: 0o644 }]]), { now: 0 })
    assert.equal(readdirSync(folder).length, 3)
    assert.ok(existsSync(join(folder, 'healed')))
  }
})
