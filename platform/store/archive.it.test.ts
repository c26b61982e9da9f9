import assert from 'node:assert/strict'
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readArchive, type Store, unpackDatabase, writeArchive } from './index.ts'
import { aFolder, openAt } from './testing/file-of-test.ts'

const files = [{ path: 'pki/ca.key', text: 'a key' }]
const about = { made: 'today' }

test('an archive is the database of its moment with the files beside it, for its owner alone', async (t) => {
  const { folder, file } = aFolder()
  const store = await openAt(t, file)
  await Promise.all(Array.from({ length: 2000 }, (_, index) => add(store, index)))
  const target = join(folder, 'archive')
  writeArchive({ database: file, target, force: false, about, files })
  await add(store, 9999)
  assert.equal((await stat(target)).mode & 0o777, 0o600)
  const content = readArchive(target)
  assert.deepEqual([content.about['made'], content.files], ['today', files])
  const again = join(folder, 'again.db')
  unpackDatabase(target, again)
  assert.equal((await stat(again)).mode & 0o777, 0o600)
  const copy = await openAt(t, again, { checksSchema: true })
  assert.equal((await copy.read({ statement: 'pairs.all', parameters: [] })).length, 2000)
  assert.notEqual(copy.incarnation, store.incarnation)
})

test('an archive takes no name that is taken, unless it is told to, and leaves nothing half done', async (t) => {
  const { folder, file } = aFolder()
  await openAt(t, file)
  const target = join(folder, 'archive')
  await writeFile(target, 'dear to somebody')
  const job = { database: file, target, about, files }
  assert.throws(() => writeArchive({ ...job, force: false }), { code: 'PLATFORM_ARCHIVE_EXISTS' })
  assert.throws(() => writeArchive({ ...job, database: target, force: true }), { code: 'PLATFORM_STORE_DAMAGED' })
  assert.equal(await readFile(target, 'utf8'), 'dear to somebody')
  writeArchive({ ...job, force: true })
  readArchive(target)
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('draft')),
    [],
  )
})

const harms: Readonly<Record<string, (file: string) => Promise<void>>> = {
  'was cut': (file) => truncate(file, 8192),
  'has one other letter': async (file) => {
    const bytes = await readFile(file)
    for (let found = bytes.indexOf('a key'); found >= 0; found = bytes.indexOf('a key')) bytes.write('x', found)
    await writeFile(file, bytes)
  },
  'is a letter': (file) => writeFile(file, 'this is no database, it is a letter. '.repeat(50)),
}
for (const [name, harm] of Object.entries(harms)) {
  test(`an archive that ${name} is refused`, async (t) => {
    const { folder, file } = aFolder()
    const store = await openAt(t, file)
    await Promise.all(Array.from({ length: 500 }, (_, index) => add(store, index)))
    const target = join(folder, 'archive')
    writeArchive({ database: file, target, force: false, about, files })
    await harm(target)
    assert.throws(() => readArchive(target), { code: 'PLATFORM_ARCHIVE_UNUSABLE' })
  })
}

test('a database that is no archive, or no file at all, is refused', async (t) => {
  const { folder, file } = aFolder()
  await (await openAt(t, file))[Symbol.asyncDispose]()
  assert.throws(() => readArchive(file), { code: 'PLATFORM_ARCHIVE_UNUSABLE' })
  assert.throws(() => readArchive(join(folder, 'none')), { code: 'PLATFORM_ARCHIVE_UNUSABLE' })
  assert.ok(!(await readdir(folder)).includes('none'))
})

function add(store: Store, key: number): Promise<void> {
  return store.write([{ statement: 'pairs.add', parameters: [`key-${key}`, key] }])
}
