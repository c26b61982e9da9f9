import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { needsSmallDisk, smallDisk } from '../../tools/testing/small-disk.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { ConfigError, RefusedError, UnavailableError } from '../lifecycle/errors.ts'
import { ensureDirectory, lockDirectory, readFileIfPresent, writeFileAtomic } from './index.ts'

test('replaces a file whole, with its mode, and leaves nothing beside it', async () => {
  const path = join(temporaryFolder('skerry-files-'), 'a.json')
  assert.equal(await readFileIfPresent(path), undefined)
  await writeFileAtomic(path, 'one', 0o644)
  await writeFileAtomic(path, Buffer.from('two'), 0o600)
  assert.equal(await readFileIfPresent(path), 'two')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(path, '..')), ['a.json'])
})

test('leaves no temporary file when it cannot replace', async () => {
  const dir = temporaryFolder('skerry-files-')
  await mkdir(join(dir, 'taken', 'inner'), { recursive: true })
  await assert.rejects(writeFileAtomic(join(dir, 'taken'), 'x', 0o600))
  assert.deepEqual(await readdir(dir), ['taken'])
})

test('makes private folders, tightens its own and refuses a file in their place', async () => {
  const dir = temporaryFolder('skerry-files-')
  await ensureDirectory(join(dir, 'a', 'b'), 0o700)
  assert.equal((await stat(join(dir, 'a', 'b'))).mode & 0o777, 0o700)
  await chmod(join(dir, 'a'), 0o775)
  await ensureDirectory(join(dir, 'a'), 0o700)
  assert.equal((await stat(join(dir, 'a'))).mode & 0o777, 0o700)
  await writeFile(join(dir, 'file'), '')
  await assert.rejects(ensureDirectory(join(dir, 'file'), 0o700), ConfigError)
  await assert.rejects(ensureDirectory(join(dir, 'file', 'below'), 0o700), ConfigError)
})

test('refuses a folder that everybody may write to', async () => {
  const dir = join(temporaryFolder('skerry-files-'), 'shared')
  await mkdir(dir)
  await chmod(dir, 0o1777)
  await assert.rejects(ensureDirectory(dir, 0o700), { code: 'PLATFORM_FOLDER_SHARED' })
})

test('gives a folder to one holder at a time, also within one process', async () => {
  const dir = temporaryFolder('skerry-files-')
  const lock = await lockDirectory(dir)
  await assert.rejects(lockDirectory(dir), (error) => {
    assert.ok(error instanceof RefusedError)
    assert.equal(error.code, 'PLATFORM_LOCKED')
    assert.deepEqual(error.fields, { dir, pid: process.pid })
    return true
  })
  await lock[Symbol.asyncDispose]()
  await lock[Symbol.asyncDispose]()
  await (await lockDirectory(dir))[Symbol.asyncDispose]()
})

test('a lock that cannot be taken for another reason is told with its folder', async () => {
  const dir = temporaryFolder('skerry-files-')
  await writeFile(join(dir, 'lock'), 'no database'.repeat(100))
  await assert.rejects(lockDirectory(dir), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.deepEqual(error.fields, { dir, file: join(dir, 'lock') })
    return true
  })
})

test('a killed holder leaves no lock behind', async (t) => {
  const dir = temporaryFolder('skerry-files-')
  const script = `
    import { lockDirectory } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
    await lockDirectory(${JSON.stringify(dir)})
    process.stdout.write('held')
    process.stdin.resume()
  `
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await assert.rejects(lockDirectory(dir), (error) => {
    assert.ok(error instanceof RefusedError)
    assert.equal(error.fields['pid'], child.pid)
    return true
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using _lock = await lockDirectory(dir)
  assert.equal(await readFile(join(dir, 'lock.pid'), 'utf8'), `${process.pid}\n`)
})

test('what cannot be written is named with what to do, and the former file stays as it was', {
  skip: needsSmallDisk(),
}, async (t) => {
  const disk = await smallDisk(t, '1m')
  const path = join(disk.outside, 'kept')
  await writeFileAtomic(path, 'former', 0o600)
  await disk.fill()
  await assert.rejects(writeFileAtomic(path, 'x'.repeat(10_000), 0o600), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.equal(error.code, 'PLATFORM_FILE_NOT_WRITTEN')
    assert.equal(error.message, `${path} cannot be written, the disk is full: free some space, then try again`)
    return true
  })
  assert.deepEqual((await readdir(disk.outside)).sort(), ['filler', 'kept'])
  assert.equal(await readFileIfPresent(path), 'former')
  const below = join(path, 'below')
  await assert.rejects(writeFileAtomic(below, '', 0o600), { message: /what should be its folder is a file/ })
})
