import assert from 'node:assert/strict'
import { copyFile, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryLogger } from '../log/testing/index.ts'
import { systemClock } from '../time/system-clock.ts'
import { openStore, type Store } from './index.ts'
import { aFolder, openAt } from './testing/file-of-test.ts'
import { pairs } from './testing/pairs.ts'

type Harm = (file: string) => Promise<void>

const harms: Readonly<Record<string, Harm>> = {
  'a page that rotted': (file) => overwrite(file, 4096 * 6, Buffer.alloc(4096, 0xa5)),
  'a file that was cut': (file) => truncate(file, 4096 * 5),
  'a file that was cut to nothing': (file) => truncate(file, 0),
  'a header of zeros': (file) => overwrite(file, 0, Buffer.alloc(100)),
  'a letter in its place': (file) => writeFile(file, 'this is a letter, not a database. '.repeat(100)),
  'a log of garbage': (file) => writeFile(`${file}-wal`, Buffer.alloc(8192, 0x5a)),
}

for (const [name, harm] of Object.entries(harms)) {
  test(`${name}: the start names it, keeps the file and goes on with the newest sound backup`, async (t) => {
    const { folder, file } = aFolder()
    await fill(file, 1, 1500)
    await copyFile(file, `${file}.backup-2`)
    await copyFile(file, `${file}.backup-1`)
    await overwrite(`${file}.backup-1`, 4096 * 6, Buffer.alloc(4096, 0xa5))
    await fill(file, 1501, 3000)
    await harm(file)
    const harmed = await readFile(file)

    const log = memoryLogger()
    const store = await openAt(t, file, { onDamage: 'restore', log })
    assert.equal(await count(store), 1500)
    await add(store, 9999)
    assert.equal(store.recovered?.from, 'backup')
    assert.equal(log.messages('error').length, 1)
    const fields = log.lines.find(({ level }) => level === 'error')?.fields
    assert.equal(fields?.['file'], file)
    assert.ok(String(fields?.['reason']).length > 5)
    const damagedFile = store.recovered.damagedFile ?? ''
    assert.deepEqual(await readFile(join(folder, damagedFile)), harmed)
    await store[Symbol.asyncDispose]()

    const again = await openAt(t, file, { onDamage: 'restore' })
    assert.equal(again.recovered, undefined)
    assert.equal(await count(again), 1501)
  })
}

test('a damaged file without a backup is put aside, and an empty one takes its place', async (t) => {
  const { folder, file } = aFolder()
  for (let round = 0; round < 4; round++) {
    await writeFile(file, 'no database')
    await writeFile(`${file}.damaged-2020010${round}T000000Z`, 'older')
    const store = await openAt(t, file, { onDamage: 'restore' })
    assert.equal(store.recovered?.from, 'empty')
    assert.equal(await count(store), 0)
    await store[Symbol.asyncDispose]()
  }
  const aside = (await readdir(folder)).filter((name) => name.includes('damaged'))
  assert.equal(aside.length, 2, 'the oldest of them are let go')
})

test('what may be lost is discarded, with its log', async (t) => {
  const { folder, file } = aFolder()
  await writeFile(file, 'no database')
  await writeFile(`${file}-wal`, 'no log')
  const store = await openAt(t, file, { onDamage: 'discard' })
  assert.deepEqual(store.recovered, { from: 'empty', reason: 'file is not a database' })
  await store[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(folder), ['skerry.db'])
})

test('a crash while a backup takes the place of the file is made good', async (t) => {
  const { file } = aFolder()
  await fill(file, 1, 10)
  await copyFile(file, `${file}.restored`)
  await rm(file)
  await writeFile(`${file}-wal`, 'of the damaged file')
  const store = await openAt(t, file, { onDamage: 'restore' })
  assert.equal(await count(store), 10)
  assert.equal(store.recovered?.from, 'backup')
})

async function fill(file: string, first: number, last: number): Promise<void> {
  await using store = await openStore(file, [pairs], { clock: systemClock, log: memoryLogger() })
  await Promise.all(Array.from({ length: last - first + 1 }, (_, index) => add(store, first + index)))
}

function add(store: Store, key: number): Promise<void> {
  return store.write([{ statement: 'pairs.add', parameters: [`key-${key}`, key] }])
}

async function count(store: Store): Promise<number> {
  return (await store.read({ statement: 'pairs.all', parameters: [] })).length
}

async function overwrite(file: string, at: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(bytes, 0, bytes.length, at)
  await handle.close()
}
