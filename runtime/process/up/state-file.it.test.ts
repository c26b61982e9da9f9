import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { automaticPorts } from './ports.ts'
import { readStateFile } from './state-file.ts'

it('a damaged file is told by its name and the way out', async () => {
  const folder = temporaryFolder('skerry-state-')
  const file = join(folder, 'ports.json')
  assert.equal(await readStateFile(file, 'remove it'), undefined)
  await writeFile(file, '{"mqtt": 18')
  await assert.rejects(readStateFile(file, 'remove it'), { message: `${file} is damaged: remove it` })
  await assert.rejects(automaticPorts(folder), { code: 'PROCESS_STATE_DAMAGED' })
})
