import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveControl } from '../../platform/http/index.ts'
import type { MapperEntry } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

const CONFIG =
  'node: {name: a}\nmappers:\n  use:\n    - not-installed\n    - {mapper: ./theirs.mjs, isolation: process}\n'
const MAPPER = `
import { configSchema, defineMapper, noConnection, Type } from 'skerry/mapper'
const anything = configSchema(Type.Object({}))
export default defineMapper({ contract: 1, protocol: 'theirs', deviceConfig: anything, visitorConfig: anything,
  connectionKey: () => 'a', connect: noConnection, read: async () => new Map() })
`

async function folder(): Promise<string> {
  const data = temporaryFolder('skerry-list-')
  await writeFile(join(data, 'config.yaml'), CONFIG)
  await writeFile(join(data, 'theirs.mjs'), MAPPER)
  return data
}

const list = (data: string, ...args: readonly string[]) =>
  run(process.execPath, [launcher, 'mapper', 'list', '--data', data, ...args])

test('lists the mappers of a configuration that nothing runs with', async () => {
  const data = await folder()
  const { stdout, code } = await list(data)
  assert.equal(code, 0)
  assert.match(stdout, /^PROTOCOL +CONTRACT +STATE +DEVICES +ISOLATION +ORIGIN +DETAIL$/m)
  assert.match(stdout, /^- +- +broken +0 +worker +package not-installed +.*not-installed: it is in none of/m)
  assert.match(stdout, new RegExp(`^theirs +1 +idle +0 +process +${data}/theirs.mjs +no device`, 'm'))
  assert.match(stdout, /^modbus \(modbus-tcp\) +1 +idle +0 +worker +built-in +no device/m)
  assert.match(stdout, /No edge runs in .*: this is what its configuration says\.\n$/)
})

test('lists what the running edge says', async () => {
  const data = await folder()
  const entry: MapperEntry = {
    ...{ protocol: 'theirs', serves: ['theirs', 'ours'], contract: 1, deviceSchema: {}, visitorSchema: {} },
    ...{ origin: { kind: 'package', name: 'p', version: '1.2.3', path: '/p/m.js' }, isolation: 'worker' },
    ...{ state: 'restarting', detail: 'mapper theirs crashed: out of luck', devices: 3, crashes: 2 },
  }
  await using _control = await serveControl({ dir: data, routes: { 'GET /mappers': async () => [entry] } })
  const { stdout } = await list(data)
  const line =
    'theirs \\(ours\\) +1 +restarting +3 +worker +package p@1\\.2\\.3 +mapper theirs crashed: out of luck; crashed 2 times'
  assert.match(stdout, new RegExp(`^${line}$`, 'm'))
  assert.doesNotMatch(stdout, /No edge runs/)
  const { deviceSchema: _device, visitorSchema: _visitor, ...shown } = entry
  assert.deepEqual(JSON.parse((await list(data, '-o', 'json')).stdout), { running: true, mappers: [shown] })
})
