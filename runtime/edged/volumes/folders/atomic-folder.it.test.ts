import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { needsSmallDisk, smallDisk } from '../../../../tools/testing/small-disk.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { needsLinux, needsMounts } from '../testing/needs-mounts.ts'
import { currentOf, type VolumeFile, writeAtomicFolder } from './atomic-folder.ts'

const skip = needsLinux()
const OPTIONS = { now: Date.UTC(2026, 0, 2, 3, 4, 5) }

function files(data: Readonly<Record<string, string>>, mode = 0o644): ReadonlyMap<string, VolumeFile> {
  return new Map(Object.entries(data).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)
const hidden = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('..') && name !== '..data')

test('the files of a volume are seen through one link, as programs know it from a kubelet', { skip }, async () => {
  const folder = join(temporaryFolder(), 'v')
  await writeAtomicFolder(folder, files({ a: '1', 'b/c/d': '2' }, 0o400), OPTIONS)
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1')
  assert.equal(readFileSync(join(folder, 'b/c/d'), 'utf8'), '2')
  assert.equal(readlinkSync(join(folder, 'b')), '..data/b')
  assert.match(readlinkSync(join(folder, '..data')), /^\.\.2026_01_02_03_04_05\.\w{6}$/)
  assert.deepEqual([folder, join(folder, 'b/c'), join(folder, 'a')].map(modeOf), ['755', '755', '400'])
})

test('nothing is written when nothing changed, and what somebody changed is put right', { skip }, async () => {
  const folder = join(temporaryFolder(), 'v')
  const first = await writeAtomicFolder(folder, files({ a: '1', b: '2' }), OPTIONS)
  const before = lstatSync(join(folder, '..data'), { bigint: true })
  assert.equal(await writeAtomicFolder(folder, files({ a: '1', b: '2' }), OPTIONS), first)
  assert.equal(lstatSync(join(folder, '..data'), { bigint: true }).ctimeNs, before.ctimeNs)
  const changes: readonly (() => void)[] = [
    () => writeFileSync(join(folder, 'a'), '7'),
    () => chmodSync(join(folder, 'a'), 0o600),
    () => writeFileSync(join(folder, '..data', 'c'), 'more'),
  ]
  let last = first
  for (const change of changes) {
    change()
    const next = await writeAtomicFolder(folder, files({ a: '1', b: '2' }), OPTIONS)
    assert.notEqual(next, last)
    last = next
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1')
  }
  assert.deepEqual(readdirSync(folder).sort(), [last, '..data', 'a', 'b'].sort())
})

test('keys that go are gone, and a reader never finds a mixture', { skip }, async () => {
  const folder = join(temporaryFolder(), 'v')
  const version = (number: number) => files({ a: String(number), b: String(number), [`only-${number % 2}`]: 'x' })
  await writeAtomicFolder(folder, version(0), OPTIONS)
  let isWriting = true
  const seen = new Set<string>()
  const reading = (async () => {
    while (isWriting) {
      const current = await currentOf(folder)
      assert.ok(current)
      const [a, b] = await Promise.all(
        ['a', 'b'].map((name) => readFile(join(folder, current, name), 'utf8').catch(() => '')),
      )
      if (a !== '' && b !== '') assert.equal(a, b)
      seen.add(String(a))
      assert.ok(existsSync(join(folder, '..data')))
    }
  })()
  for (let number = 1; number <= 30; number++) await writeAtomicFolder(folder, version(number), OPTIONS)
  isWriting = false
  await reading
  assert.ok(seen.size > 1)
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.startsWith('..')),
    ['a', 'b', 'only-0'],
  )
  assert.equal(hidden(folder).length, 1)
})

test('what a crash left between any two steps is cleared away', { skip }, async () => {
  const folder = join(temporaryFolder(), 'v')
  const current = await writeAtomicFolder(folder, files({ a: '1' }), OPTIONS)
  // Half written; the link not yet put in place; put in place without the new names.
  mkdirSync(join(folder, '..2026_01_02_03_04_06.abcdef', 'deep'), { recursive: true })
  writeFileSync(join(folder, '..2026_01_02_03_04_06.abcdef', 'deep', 'x'), 'half')
  symlinkSync('..2026_01_02_03_04_06.abcdef', join(folder, '..data_tmp'))
  writeFileSync(join(folder, current, 'b'), '2')
  assert.equal(await writeAtomicFolder(folder, files({ a: '1', b: '2' }), OPTIONS), current)
  assert.deepEqual(readdirSync(folder).sort(), [current, '..data', 'a', 'b'].sort())
  assert.equal(readFileSync(join(folder, 'b'), 'utf8'), '2')
})

test('links that lead out of the volume are replaced, and what they lead to is left alone', { skip }, async () => {
  const folder = temporaryFolder()
  const [volume, host] = [join(folder, 'v'), join(folder, 'host')]
  mkdirSync(host)
  writeFileSync(join(host, 'precious'), 'kept')
  mkdirSync(volume)
  symlinkSync(host, join(volume, '..data'))
  symlinkSync(join(host, 'precious'), join(volume, 'a'))
  symlinkSync(host, join(volume, '..old'))
  symlinkSync(host, join(volume, '..data_tmp'))
  await writeAtomicFolder(volume, files({ a: '1' }), OPTIONS)
  assert.equal(readFileSync(join(volume, 'a'), 'utf8'), '1')
  assert.deepEqual([readdirSync(host), readFileSync(join(host, 'precious'), 'utf8')], [['precious'], 'kept'])
  assert.equal(hidden(volume).length, 1)
})

test('a folder that a subPath made gives way to its key, unless it is in use', { skip }, async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'a'))
  mkdirSync(join(folder, 'b', 'used'), { recursive: true })
  await writeAtomicFolder(folder, files({ a: '1', b: '2' }), OPTIONS)
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1')
  assert.ok(lstatSync(join(folder, 'b')).isDirectory())
})

test('two thousand keys are one volume', { skip }, async () => {
  const folder = join(temporaryFolder(), 'v')
  const many = (text: string) =>
    files(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`key-${index}`, `${text}-${index}`])))
  const first = await writeAtomicFolder(folder, many('a'), OPTIONS)
  assert.equal(await writeAtomicFolder(folder, many('a'), OPTIONS), first)
  await writeAtomicFolder(folder, many('b'), OPTIONS)
  assert.equal(readFileSync(join(folder, 'key-1999'), 'utf8'), 'b-1999')
  assert.equal(readdirSync(folder).length, 2002)
})

test('a disk that is full leaves the files that are there, and no rest of the new ones', {
  skip: needsSmallDisk(),
}, async (t) => {
  const disk = await smallDisk(t, '4m')
  const folder = join(disk.outside, 'v')
  await writeAtomicFolder(folder, files({ a: '1' }), OPTIONS)
  await disk.fill()
  const large = files({ a: '2', b: 'x'.repeat(100_000) })
  await assert.rejects(writeAtomicFolder(folder, large, OPTIONS), { code: 'ENOSPC' })
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '1')
  assert.equal(hidden(folder).length, 1)
  await disk.free()
  await writeAtomicFolder(folder, large, OPTIONS)
  assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '2')
})

test('with a group all is readable for it, and what is made in a folder belongs to it', {
  skip: needsMounts(),
}, async () => {
  const folder = join(temporaryFolder(), 'v')
  const owned = new Map([
    ...files({ a: '1', 'b/c': '2' }, 0o600),
    ['t', { data: Buffer.from('3'), mode: 0o600, uid: 1000 }],
  ])
  const first = await writeAtomicFolder(folder, owned, { ...OPTIONS, gid: 2000 })
  for (const path of ['', '..data/', 'b', 'a', 'b/c', 't']) assert.equal(statSync(join(folder, path)).gid, 2000)
  assert.deepEqual(
    ['', '..data/', 'b', 'a', 't'].map((path) => modeOf(join(folder, path))),
    ['2755', '2755', '2755', '640', '640'],
  )
  assert.deepEqual(
    ['a', 't'].map((path) => statSync(join(folder, path)).uid),
    [0, 1000],
  )
  assert.equal(await writeAtomicFolder(folder, owned, { ...OPTIONS, gid: 2000 }), first)
})
