import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
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

it('finds a package where it is installed, and in the folders above', async () => {
  const folder = await folderWith({
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

const compiled = `"use strict"
Object.defineProperty(exports, '__esModule', { value: true })
const { configSchema, defineMapper, noConnection, Type } = require('skerry/mapper')
const anything = configSchema(Type.Object({}))
exports.default = defineMapper({ contract: 1, protocol: 'theirs', deviceConfig: anything, visitorConfig: anything,
  connectionKey: () => 'a', connect: noConnection, read: async () => new Map() })
`
const monkey = "globalThis.setTimeout = JSON.stringify = undefined; Array.prototype.map = () => 'ape'"

for (const [name, files] of [
  ['m.cjs', { 'm.cjs': compiled }],
  ['m.cjs', { 'm.cjs': compiled.replace('exports.default =', 'module.exports =') }],
  ['a folder with spaces/größe %20.mjs', { 'a folder with spaces/größe %20.mjs': mapperModule('theirs') }],
  ['mapper.ts', { 'mapper.ts': mapperModule('theirs') }],
  ['', { 'package.json': packageOf('p', './m.js'), 'm.js': mapperModule('theirs') }],
  ['', { 'package.json': '{"type":"module","main":"m.js"}', 'm.js': mapperModule('theirs') }],
] as const) {
  it(`takes the path of a ${name === '' ? 'package folder' : 'file'} (${Object.keys(files).join(', ')})`, async () => {
    const folder = await folderWith(files)
    const [entry] = await listed([{ mapper: join(folder, name) }])
    assert.deepEqual([entry?.detail, entry?.protocol], ['no device on this node uses it', 'theirs'])
    assert.equal(entry?.origin.kind, 'path')
  })
}

function withSchema(schema: string): string {
  return `${schema}
const config = { jsonSchema: schema, parse: (value) => ({ ok: true, value }) }
export default { contract: 1, protocol: 'x', deviceConfig: config, visitorConfig: config,
  connectionKey: () => '', connect: async () => ({}), read: async () => new Map() }`
}

const broken: readonly (readonly [what: string, files: Readonly<Record<string, string>>, detail: RegExp])[] = [
  ['throws when it is loaded', { 'm.mjs': 'throw new Error("no licence")' }, /cannot be loaded: no licence/],
  ['ends the process that asks it', { 'm.mjs': 'process.exit(3)' }, /A process ended before it had answered/],
  ['lacks a dependency', { 'm.mjs': 'import "not-installed"' }, /Cannot find package 'not-installed'/],
  ['is no mapper', { 'm.mjs': 'export default { contract: 1, protocol: "x" }' }, /it has no function connectionKey/],
  ['is newer', { 'm.mjs': mapperModule('x', 2) }, /wants contract 2, and this Skerry keeps contract 1: update Skerry/],
  ['is older', { 'm.mjs': mapperModule('x', 0) }, /wants contract 0.*: take a newer version of the mapper/],
  ['is not there', {}, /m\.mjs: there is no such file/],
  ['has a syntax error', { 'm.mjs': 'export default {' }, /cannot be loaded: Unexpected end of input/],
  ['throws when it is looked at', { 'm.mjs': 'export default { get contract() { throw new Error("boo") } }' }, /boo/],
  [
    'throws later',
    { 'm.mjs': 'setTimeout(() => { throw new Error("late") }); await new Promise((r) => setTimeout(r, 5e3))' },
    /ended before it had answered: late/,
  ],
  ['ends badly', { 'm.mjs': 'process.kill(process.pid, "SIGKILL")' }, /it was ended by SIGKILL/],
  [
    'writes on the channel',
    { 'm.mjs': 'import { writeSync } from "node:fs"; writeSync(3, "x".repeat(9))' },
    /could not be read/,
  ],
  [
    'goes elsewhere',
    { 'm.mjs': mapperModule('../..') },
    /its protocol "\.\.\/\.\." is no name: take at most 63 letters/,
  ],
  ['has no name', { 'm.mjs': mapperModule('') }, /it has no protocol/],
  ['has a long name', { 'm.mjs': mapperModule('x'.repeat(300)) }, /its protocol "x{80}" is no name/],
  [
    'has an endless schema',
    { 'm.mjs': withSchema('const schema = {}; schema.items = schema') },
    /deviceConfig is no JSON/,
  ],
  ['has a huge schema', { 'm.mjs': withSchema('const schema = { title: "x".repeat(3e5) }') }, /larger than 256 KiB/],
]
for (const [what, files, detail] of broken) {
  it(`says why a mapper is broken that ${what}, and lists the others`, async () => {
    const folder = await folderWith({ ...files, 'good.mjs': mapperModule('good') })
    const [bad, good] = await listed([{ mapper: join(folder, 'm.mjs') }, { mapper: join(folder, 'good.mjs') }])
    assert.equal(bad?.state, 'broken')
    assert.match(bad?.detail ?? '', detail)
    assert.equal(good?.state, 'idle')
  })
}

it('says where a package was looked for, and what to do about TypeScript in one', async () => {
  const folder = await folderWith({
    'node_modules/typed/package.json': packageOf('typed', './mapper.ts'),
    'node_modules/typed/mapper.ts': mapperModule('typed'),
  })
  const [absent, typed] = await listed([{ mapper: 'absent' }, { mapper: 'typed' }], [folder])
  assert.match(absent?.detail ?? '', new RegExp(`absent: it is in none of ${join(folder, 'node_modules')}`))
  assert.match(typed?.detail ?? '', /below node_modules Node.js takes no TypeScript: let the package export compiled/)
})

it('a symbolic link is as good as the file', async () => {
  const folder = await folderWith({ 'real/m.mjs': mapperModule('theirs') })
  await symlink(join(folder, 'real'), join(folder, 'link'))
  const [entry] = await listed([{ mapper: join(folder, 'link', 'm.mjs') }])
  assert.deepEqual([entry?.protocol, entry?.state], ['theirs', 'idle'])
})

it('a mapper that tampers with what JavaScript brings harms itself', async () => {
  const folder = await folderWith({ 'm.mjs': `${monkey}\n${mapperModule('ape')}`, 'good.mjs': mapperModule('good') })
  const [, good] = await listed([{ mapper: join(folder, 'm.mjs') }, { mapper: join(folder, 'good.mjs') }])
  assert.equal(good?.state, 'idle')
  assert.equal(typeof setTimeout, 'function')
})

it('of two mappers for one protocol the second is broken', async () => {
  const folder = await folderWith({ 'a.mjs': mapperModule('x'), 'b.mjs': mapperModule('x') })
  const [a, b] = await listed([{ mapper: join(folder, 'a.mjs') }, { mapper: join(folder, 'b.mjs') }])
  assert.deepEqual([a?.state, b?.state], ['idle', 'broken'])
  assert.match(b?.detail ?? '', /protocol x is served by .*a\.mjs already/)
})

async function hostWith(t: TestContext, files: Readonly<Record<string, string>>, isolation: 'worker' | 'process') {
  const folder = await folderWith(files)
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

it('a mapper that hangs holds up nobody, and one that was mended serves without a restart', async (t) => {
  const files = {
    'hangs.mjs': 'await new Promise(() => setInterval(() => undefined, 1000))',
    'm.mjs': 'export default {',
  }
  const folder = await folderWith({ ...files, 'good.mjs': mapperModule('good') })
  const use = ['hangs.mjs', 'm.mjs', 'good.mjs'].map((name) => ({ mapper: join(folder, name) }))
  const host = await runHost(t, 'worker', { use })
  host.bus.set(assignedDevices, 'default/good', plainDevice('good', 'good'))
  host.bus.set(assignedDevices, 'default/mended', plainDevice('mended', 'theirs'))
  await host.untilState('online', 'default/good')
  const stateOf = (name: string) => host.bus.get(mappersLoaded, `use ${join(folder, name)}`)?.state
  assert.equal(stateOf('hangs.mjs'), 'loading')
  assert.equal(stateOf('m.mjs'), 'broken')
  await writeFile(join(folder, 'm.mjs'), mapperModule('theirs'))
  await host.untilState('online', 'default/mended')
  assert.equal(host.log.messages('info').includes('A mapper can be used now'), true)
})

it('a mapper that comes late takes its protocol over', async (t) => {
  const own = mapperModule('steady').replace('42', '7')
  const folder = await folderWith({ 'own.mjs': own, 'm.mjs': 'throw new Error("not yet")' })
  const host = await runHost(t, 'worker', {
    builtIns: [{ protocol: 'steady', aliases: ['calm'], entry: pathToFileURL(join(folder, 'own.mjs')) }],
    use: [{ mapper: join(folder, 'm.mjs') }],
  })
  host.bus.set(assignedDevices, 'default/d', plainDevice('d', 'steady'))
  await host.untilState('online', 'default/d')
  await host.untilValue('value', (value) => value === '7')
  await writeFile(join(folder, 'm.mjs'), mapperModule('steady'))
  await host.untilValue('value', (value) => value === '42')
  const builtIn = host.bus.get(mappersLoaded, 'steady')
  assert.deepEqual([builtIn?.state, builtIn?.serves, builtIn?.devices], ['idle', [], 0])
})
