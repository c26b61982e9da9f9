import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { type RunningUp, removeDirectory, startUp, temporaryDirectory } from '../testing/up.ts'
import { packageRoot } from '../version.ts'

const has = (name: string, file: string) => existsSync(join(packageRoot, 'samples', name, file))
/** A folder with a package brings a mapper of its own. */
const samples = readdirSync(join(packageRoot, 'samples')).filter(
  (name) => has(name, 'device.yaml') && !has(name, 'package.json'),
)

describe('the manifests of samples/, applied as they stand', {
  skip: needs('kubectl'),
}, () => {
  let directory: string
  let up: RunningUp

  before(async () => {
    directory = await temporaryDirectory()
    up = await startUp(directory, '--no-samples')
  })

  after(async () => {
    await up?.stop()
    await removeDirectory(directory)
  })

  for (const name of samples) {
    it(`${name} is taken by the API without a warning, and accepted by the mapper of its protocol`, async () => {
      const folder = join(packageRoot, 'samples', name)
      const files = ['-f', join(folder, 'model.yaml'), '-f', join(folder, 'device.yaml')]
      const applied = await up.kubectl('apply', '--validate=strict', ...files, '-o', 'name')
      assert.equal(applied.code, 0, applied.stderr)
      assert.equal(applied.stderr, '')
      const [device = ''] = applied.stdout.split('\n').filter((line) => line.startsWith('device.'))
      const waited = await up.kubectl('wait', '--for=condition=Accepted', device, '--timeout=30s')
      assert.equal(waited.code, 0, waited.stderr + (await up.kubectl('describe', device)).stdout)
    })
  }
})
