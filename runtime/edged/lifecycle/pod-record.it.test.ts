import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
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
  for (const [uid, text] of Object.entries(damaged)) {
    await mkdir(join(folder, 'pods', uid), { recursive: true })
    await writeFile(join(folder, 'pods', uid, 'record.json'), text)
  }
  // One that has no record is nothing to be told of.
  await mkdir(join(folder, 'pods', 'bare'))
  assert.deepEqual(await records.all(), [record])
  assert.equal(log.messages('warn').length, Object.keys(damaged).length)
})
