import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as contract from '../../contract/index.ts'
import { loadMapper } from './source.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const MAPPER = `
import { configSchema, DeviceSilentError, defineMapper, noConnection, Type } from 'skerry/mapper'
export const seen = { DeviceSilentError }
const anything = configSchema(Type.Object({ host: Type.String({ default: 'here' }) }))
export default defineMapper({
  contract: 1, protocol: 'theirs', deviceConfig: anything, visitorConfig: anything,
  connectionKey: () => 'a', connect: noConnection, read: async () => new Map(),
})
`

async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-theirs-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

for (const name of ['mapper.mjs', 'mapper.ts', 'src/mapper.mts']) {
  test(`${name} anywhere on the disk gets the contract of the Skerry that loads it`, async (t) => {
    const folder = await folderWith(t, { [name]: MAPPER, 'package.json': '{"type":"module"}' })
    const entry = pathToFileURL(join(folder, name))
    const mapper = await loadMapper({ protocol: 'theirs', entry })
    assert.deepEqual(mapper.deviceConfig.parse({}), { ok: true, value: { host: 'here' } })
    const { seen } = await import(entry.href)
    assert.equal(seen.DeviceSilentError, contract.DeviceSilentError)
  })
}

test('the running Skerry comes before a copy that is installed beside the mapper', async (t) => {
  const folder = await folderWith(t, {
    'mapper.mjs': MAPPER,
    'node_modules/skerry/package.json': '{"name":"skerry","type":"module","exports":{"./mapper":"./old.js"}}',
    'node_modules/skerry/old.js': 'throw new Error("an old copy")',
  })
  const mapper = await loadMapper({ protocol: 'theirs', entry: pathToFileURL(join(folder, 'mapper.mjs')) })
  assert.equal(mapper.protocol, 'theirs')
})

test('a program of its own finds all of skerry/mapper in a Skerry that it depends on', async (t) => {
  const script = 'import("skerry/mapper").then((all) => process.stdout.write(JSON.stringify(Object.keys(all).sort())))'
  const folder = await folderWith(t, { 'show.mjs': script, 'node_modules/.keep': '' })
  await symlink(checkout, join(folder, 'node_modules', 'skerry'))
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'show.mjs')])
  assert.deepEqual(JSON.parse(stdout), Object.keys(contract).sort())
})
