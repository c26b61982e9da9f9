import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { systemClock as clock } from '../../../platform/time/index.ts'
import { assignedDevices, mappersLoaded } from '../../../schemas/index.ts'
import { folderWith, mapperModule } from '../testing/packages.ts'
import { plainDevice, runHost } from '../testing/running-host.ts'
import { createCatalog, entryOf, type MapperUse } from './catalog.ts'
import { builtInMappers } from './source.ts'

/** How mappers are listed that a configuration uses. */
async function listed(use: readonly MapperUse[], from: readonly string[] = []) {
  const options = { builtIns: [], use, from, isolation: 'worker', heapMegabytes: 64, clock } as const
  return (await createCatalog(options)).map(entryOf)
}

it('lists every built-in mapper, with its contract and schemas', async () => {
  const options = {
    builtIns: builtInMappers,
    use: [],
    from: [],
    isolation: 'worker',
    heapMegabytes: 64,
    clock,
  } as const
  for (const { source, entry } of (await createCatalog(options)).map((each, at) => ({
    source: builtInMappers[at],
    entry: entryOf(each),
  }))) {
    assert.deepEqual([entry.protocol, entry.contract, entry.state], [source?.protocol, 1, 'idle'])
    assert.ok(entry.deviceSchema && entry.visitorSchema)
  }
})

const packageOf = (name: string, main: string, more = '') =>
  `{"name":"${name}","version":"1.2.3","type":"module","exports":{"import":"${main}"}${more}}`

it('finds a package where it is installed, and in the folders above', async (t) => {
  const folder = await folderWith(t, {
    'node_modules/thermo/package.json': packageOf('thermo', './mapper.js'),
    'node_modules/thermo/mapper.js': mapperModule('thermo'),
  })
  const [entry] = await listed([{ mapper: 'thermo', isolation: 'process' }], [join(folder, 'mappers', 'deep')])
  const path = join(folder, 'node_modules', 'thermo', 'mapper.js')
  assert.deepEqual(entry?.origin, { kind: 'package', name: 'thermo', version: '1.2.3', path })
  assert.deepEqual(
    [entry?.protocol, entry?.serves, entry?.contract, entry?.state, entry?.isolation],
    ['thermo', ['thermo'], 1, 'idle', 'process'],
  )
  assert.ok(entry?.deviceSchema && 'properties' in entry.deviceSchema)
})

for (const [name, files] of [
  ['mapper.ts', { 'mapper.ts': mapperModule('theirs') }],
  ['', { 'package.json': packageOf('p', './m.js'), 'm.js': mapperModule('theirs') }],
  ['', { 'package.json': '{"type":"module","main":"m.js"}', 'm.js': mapperModule('theirs') }],
] as const) {
  it(`takes the path of a ${name === '' ? 'package folder' : 'file'} (${Object.keys(files).join(', ')})`, async (t) => {
    const folder = await folderWith(t, files)
    const [entry] = await listed([{ mapper: join(folder, name) }])
    assert.deepEqual([entry?.detail, entry?.protocol], ['no device on this node uses it', 'theirs'])
    assert.equal(entry?.origin.kind, 'path')
  })
}

const broken: readonly (readonly [what: string, files: Readonly<Record<string, string>>, detail: RegExp])[] = [
  ['throws when it is loaded', { 'm.mjs': 'throw new Error("no licence")' }, /cannot be loaded: no licence/],
  ['ends the process that asks it', { 'm.mjs': 'process.exit(3)' }, /A process ended before it had answered/],
  ['lacks a dependency', { 'm.mjs': 'import "not-installed"' }, /Cannot find package 'not-installed'/],
  ['is no mapper', { 'm.mjs': 'export default { contract: 1, protocol: "x" }' }, /it has no function connectionKey/],
  ['is newer', { 'm.mjs': mapperModule('x', 2) }, /wants contract 2, and this Skerry keeps contract 1: update Skerry/],
  ['is older', { 'm.mjs': mapperModule('x', 0) }, /wants contract 0.*: take a newer version of the mapper/],
  ['is not there', {}, /m\.mjs: there is no such file/],
]
for (const [what, files, detail] of broken) {
  it(`says why a mapper is broken that ${what}, and lists the others`, async (t) => {
    const folder = await folderWith(t, { ...files, 'good.mjs': mapperModule('good') })
    const [bad, good] = await listed([{ mapper: join(folder, 'm.mjs') }, { mapper: join(folder, 'good.mjs') }])
    assert.equal(bad?.state, 'broken')
    assert.match(bad?.detail ?? '', detail)
    assert.equal(good?.state, 'idle')
  })
}

it('says where a package was looked for, and what to do about TypeScript in one', async (t) => {
  const folder = await folderWith(t, {
    'node_modules/typed/package.json': packageOf('typed', './mapper.ts'),
    'node_modules/typed/mapper.ts': mapperModule('typed'),
  })
  const [absent, typed] = await listed([{ mapper: 'absent' }, { mapper: 'typed' }], [folder])
  assert.match(absent?.detail ?? '', new RegExp(`absent: it is in none of ${join(folder, 'node_modules')}`))
  assert.match(typed?.detail ?? '', /below node_modules Node.js takes no TypeScript: let the package export compiled/)
})

it('of two mappers for one protocol the second is broken', async (t) => {
  const folder = await folderWith(t, { 'a.mjs': mapperModule('x'), 'b.mjs': mapperModule('x') })
  const [a, b] = await listed([{ mapper: join(folder, 'a.mjs') }, { mapper: join(folder, 'b.mjs') }])
  assert.deepEqual([a?.state, b?.state], ['idle', 'broken'])
  assert.match(b?.detail ?? '', /protocol x is served by .*a\.mjs already/)
})

async function hostWith(t: TestContext, files: Readonly<Record<string, string>>, isolation: 'worker' | 'process') {
  const folder = await folderWith(t, files)
  return runHost(t, isolation, { use: Object.keys(files).map((name) => ({ mapper: join(folder, name) })) })
}

for (const isolation of ['worker', 'process'] as const) {
  it(`serves devices by a mapper of others in a ${isolation}, before a built-in one`, async (t) => {
    const host = await hostWith(t, { 'm.ts': mapperModule('modbus') }, isolation)
    host.bus.set(assignedDevices, 'default/d', plainDevice('d', 'modbus-tcp'))
    await host.untilState('online')
    await host.untilValue('value', (value) => value === '42')
    const builtIn = host.bus.get(mappersLoaded, 'modbus')
    assert.deepEqual([builtIn?.state, builtIn?.serves], ['idle', []])
  })
}

it('devices of a broken mapper say so, and others are served', async (t) => {
  const files = { 'bad.mjs': 'throw new Error("no licence")', 'good.mjs': mapperModule('good') }
  const host = await hostWith(t, files, 'worker')
  host.bus.set(assignedDevices, 'default/bad', plainDevice('bad', 'theirs'))
  const unknown = await host.untilState('unknown', 'default/bad')
  assert.equal(unknown.code, 'MapperBroken')
  assert.match(unknown.reason ?? '', /no mapper for protocol theirs on this node.*bad\.mjs: .*no licence/)
  host.bus.set(assignedDevices, 'default/good', plainDevice('good', 'good'))
  await host.untilState('online', 'default/good')
})
