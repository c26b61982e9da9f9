import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VERSION } from './version.ts'

test('the version that the API tells is that of the models which its kinds are made from', async () => {
  const model = new URL('./gen/models/V1Pod.js', import.meta.resolve('@kubernetes/client-node'))
  const text = await readFile(fileURLToPath(model), 'utf8')
  const [, release = ''] = /OpenAPI spec version: release-([\d.]+)/.exec(text) ?? []
  assert.equal(`${VERSION.major}.${VERSION.minor}`, release)
  assert.match(VERSION.gitVersion, /^v1\.36\.\d+\+skerry$/)
})
