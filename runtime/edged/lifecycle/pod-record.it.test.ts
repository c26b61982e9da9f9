import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { Places } from '../places.ts'
import { PodRecords } from './pod-record.ts'

test('what is kept of a pod is found again; what is damaged is said, and costs no other pod its record', async () => {
  const folder = temporaryFolder()
  const log = memoryLogger()
  const records = new PodRecords(new Places(folder, join(folder, 'logs')), log)
  assert.deepEqual(await records.all(), [])
  const ended = { reason: 'Evicted', message: 'no room' }
  const record = { uid: 'u-1', name: 'till', namespace: 'shop', startedAt: 1000, ended, status: { phase: 'Failed' } }
  await records.write(record)
  const damaged = {
    cut: '{"name":"till","namesp',
    empty: '',
    strange: '[1]',
    nameless: '{"startedAt":1}',
    timeless: '{"name":"till","namespace":"shop","startedAt":1e300}',
  }
  for (const [uid, text] of Object.entries(damaged)) await writeFile(join(folder, 'records', `${uid}.json`), text)
  // What a crash left of one that was being written is nothing to be told of.
  await writeFile(join(folder, 'records', '.u-2.json.0a.tmp'), '{')
  assert.deepEqual(await records.all(), [record])
  assert.equal(log.messages('warn').length, Object.keys(damaged).length)
  assert.deepEqual(
    (await readdir(join(folder, 'records'))).filter((name) => name.endsWith('.tmp')),
    [],
  )
})
