import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { LogFile } from './log-file.ts'

it('a log starts anew at its limit and keeps one older part, readable by its owner alone', async () => {
  const path = join(temporaryFolder('skerry-log-'), 'edge.log')
  {
    using log = new LogFile(path, 10)
    for (const line of ['first\n', 'second\n', 'third\n']) log.write(line)
  }
  assert.equal(await readFile(path, 'utf8'), 'third\n')
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'second\n')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  using again = new LogFile(path, 10)
  again.write('more\n')
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'third\n')
})

it('a full disk costs lines, not the supervisor', { skip: process.platform !== 'linux' }, () => {
  using log = new LogFile('/dev/full')
  log.write('line\n')
  assert.equal(log.lost, 1)
})
