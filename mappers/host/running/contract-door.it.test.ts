import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as contract from '../../contract/index.ts'
import { folderWith, mapperModule } from '../testing/packages.ts'
import { loadMapper } from './source.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const MAPPER = mapperModule('theirs')

for (const name of ['mapper.mjs', 'mapper.ts', 'src/mapper.mts']) {
  test(`${name} anywhere on the disk gets the contract of the Skerry that loads it`, async () => {
    const folder = await folderWith({ [name]: MAPPER, 'package.json': '{"type":"module"}' })
    const entry = pathToFileURL(join(folder, name))
    const mapper = await loadMapper({ protocol: 'theirs', entry })
    assert.deepEqual(mapper.deviceConfig.parse({}), { ok: true, value: { host: 'here' } })
    const { seen } = await import(entry.href)
    assert.equal(seen.DeviceSilentError, contract.DeviceSilentError)
  })
}

test('the running Skerry comes before a copy that is installed beside the mapper', async () => {
  const folder = await folderWith({
    'mapper.mjs': MAPPER,
    'node_modules/skerry/package.json': '{"name":"skerry","type":"module","exports":{"./mapper":"./old.js"}}',
    'node_modules/skerry/old.js': 'throw new Error("an old copy")',
  })
  const mapper = await loadMapper({ protocol: 'theirs', entry: pathToFileURL(join(folder, 'mapper.mjs')) })
  assert.equal(mapper.protocol, 'theirs')
})

test('a program of its own finds all of skerry/mapper in a Skerry that it depends on', async () => {
  const script = 'import("skerry/mapper").then((all) => process.stdout.write(JSON.stringify(Object.keys(all).sort())))'
  const folder = await folderWith({ 'show.mjs': script, 'node_modules/.keep': '' })
  await symlink(checkout, join(folder, 'node_modules', 'skerry'))
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'show.mjs')])
  assert.deepEqual(JSON.parse(stdout), Object.keys(contract).sort())
})
