import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { automaticPorts } from './ports.ts'
import { readStateFile } from './state-file.ts'

it('a damaged file is told by its name and the way out', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-state-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'ports.json')
  assert.equal(await readStateFile(file, 'remove it'), undefined)
  await writeFile(file, '{"mqtt": 18')
  await assert.rejects(readStateFile(file, 'remove it'), { message: `${file} is damaged: remove it` })
  await assert.rejects(automaticPorts(folder), { code: 'PROCESS_STATE_DAMAGED' })
})
