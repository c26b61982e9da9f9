import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { needsSmallDisk, type SmallDisk, smallDisk } from '../../tools/testing/small-disk.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { ms } from '../time/duration.ts'
import { systemClock } from '../time/system-clock.ts'
import { healthy, lostOf, startWriter } from './testing/writer.ts'

const skip = needsSmallDisk()

test('a full disk is said, and once there is space the store goes on by itself', { skip }, async (t) => {
  const disk = await smallDisk(t, '2m')
  const writer = startWriter(t, { file: join(disk.path, 'skerry.db'), on: disk.on })
  await writer.until((line) => line === 'no PLATFORM_STORE_FULL')
  assert.ok(disk.remount('size=16m'))
  await writer.until(healthy(300))
  await disk.fill()
  await writer.until((line) => line === 'no PLATFORM_STORE_FULL')
  await disk.free()
  const lines = await writer.until(healthy(300))
  await writer.kill()
  assert.deepEqual(await lostOf(lines, await takenFrom(disk)), [])
})

test('a log that has filled the disk is used again, without a word to the caller', { skip }, async (t) => {
  const disk = await smallDisk(t, '1m')
  const file = join(disk.path, 'skerry.db')
  const first = startWriter(t, { file, mode: 'put', on: disk.on })
  await first.until(healthy(100))
  await first.close()
  const writer = startWriter(t, { file, mode: 'put', on: disk.on })
  await writer.until(healthy(20))
  await disk.fill()
  await writer.until((line, count) => {
    assert.match(line, /^ok /)
    return count === 3000
  })
  await writer.kill()
})

test('a backup that finds no space fails alone, leaves nothing behind and keeps the earlier ones', {
  skip,
}, async (t) => {
  const disk = await smallDisk(t, '8m')
  const writer = startWriter(t, { file: join(disk.path, 'skerry.db'), mode: 'backup', on: disk.on })
  let made = 0
  await writer.until((line) => {
    made += line === 'backup ok' ? 1 : 0
    return made === 2
  })
  await disk.fill()
  await writer.until((line) => line === 'backup PLATFORM_STORE_FULL')
  await disk.free()
  await writer.until((line) => line === 'backup ok')
  await writer.kill()
  const names = (await readdir(disk.outside)).filter((name) => /backup-\d/.test(name))
  assert.deepEqual(names.sort(), ['skerry.db.backup-1', 'skerry.db.backup-2'])
})

test('a start on a full disk says so', { skip }, async (t) => {
  const disk = await smallDisk(t, '2m')
  await disk.fill()
  const file = join(disk.path, 'skerry.db')
  await startWriter(t, { file, on: disk.on }).until((line) => line === 'unusable PLATFORM_STORE_FULL')
  await disk.free()
  await startWriter(t, { file, on: disk.on }).until(healthy(10))
})

test('a disk that turns read-only is said, and the store goes on when it is writable again', {
  skip: skip || needs('prlimit'),
}, async (t) => {
  const disk = await smallDisk(t, '8m')
  const file = join(disk.path, 'skerry.db')
  const writer = startWriter(t, { file, on: disk.on })
  const limit = (size: string) => execFileSync('prlimit', [`--fsize=${size}:`, '--pid', String(writer.child.pid)])
  await writer.until(healthy(50))
  // The kernel turns a file system read-only on request only while no file is open for writing.
  limit('0')
  await writer.until((line) => line.startsWith('no '))
  while (!disk.remount('ro')) await systemClock.sleep(ms(10))
  limit('unlimited')
  await writer.until((line) => line === 'no PLATFORM_STORE_READ_ONLY')
  assert.ok(disk.remount('rw'))
  const lines = await writer.until(healthy(300))
  await writer.kill()
  assert.deepEqual(await lostOf(lines, await takenFrom(disk)), [])

  assert.ok(disk.remount('ro'))
  await startWriter(t, { file, on: disk.on }).until((line) => line === 'unusable PLATFORM_STORE_READ_ONLY')
})

/** The database, with its log, where SQLite can open it by its path. */
async function takenFrom(disk: SmallDisk): Promise<string> {
  const folder = temporaryFolder('skerry-store-')
  for (const name of ['skerry.db', 'skerry.db-wal']) await copyFile(join(disk.outside, name), join(folder, name))
  return join(folder, 'skerry.db')
}
