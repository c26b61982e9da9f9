import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { openApiPki } from './open-pki.ts'

const options = { names: [], clock: systemClock, log: silentLogger }

test('certificates of an authority that was lost are made anew by its successor of the same name', async () => {
  const { directory, folder } = openFolder()
  const before = await openApiPki(directory, options)
  assert.deepEqual(await openApiPki(directory, options), before)
  await rm(join(folder, 'ca.key'))
  const after = await openApiPki(directory, options)
  assert.notEqual(after.ca, before.ca)
  const { publicKey } = new X509Certificate(after.ca)
  for (const { certificate } of [after.serving, after.admin]) {
    assert.ok(new X509Certificate(certificate).verify(publicKey))
  }
})

test('a damaged certificate or key is made anew, a damaged authority is told by its folder', async () => {
  const { directory, folder } = openFolder()
  await openApiPki(directory, options)
  await writeFile(join(folder, 'admin.crt'), 'no certificate')
  await writeFile(join(folder, 'server.key'), 'no key')
  const mended = await openApiPki(directory, options)
  assert.deepEqual(await openApiPki(directory, options), mended)
  await writeFile(join(folder, 'ca.crt'), 'no certificate')
  await assert.rejects(openApiPki(directory, options), (error: Error) => {
    assert.ok(error.message.includes(folder))
    return true
  })
})

function openFolder() {
  const directory = temporaryFolder('skerry-pki-')
  return { directory, folder: join(directory, 'pki', 'kubernetes') }
}
