import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { rename, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { needsLinux } from '../testing/needs-mounts.ts'
import { openSubPath } from './open-sub-path.ts'

const skip = needsLinux()

function stage() {
  const folder = temporaryFolder()
  const [volume, host] = [join(folder, 'volume'), join(folder, 'host')]
  mkdirSync(join(volume, 'a', 'b'), { recursive: true })
  mkdirSync(join(host, 'secret'), { recursive: true })
  writeFileSync(join(volume, 'a', 'file'), 'x')
  const opened = async (path: string) => {
    const { handle } = await openSubPath(volume, path)
    const found = await handle.stat()
    await handle.close()
    return found
  }
  return { volume, host, opened, inVolume: (path: string) => join(volume, path) }
}

test('what is there is opened, by links of the volume as well', { skip }, async () => {
  const { opened, inVolume, volume } = stage()
  symlinkSync('a/b', inVolume('inside'))
  symlinkSync('../a', inVolume('a/up'))
  symlinkSync('.', inVolume('self'))
  const same: readonly (readonly [string, string])[] = [
    ['a/b', 'a/b'],
    ['a/file', 'a/file'],
    ['inside', 'a/b'],
    ['a/up/up/file', 'a/file'],
    ['self', ''],
  ]
  for (const [path, is] of same) assert.equal((await opened(path)).ino, statSync(join(volume, is)).ino, path)
})

test('what is not there is made as a folder, as open as the volume', { skip }, async () => {
  const { opened, inVolume, volume } = stage()
  chmodSync(volume, 0o2770)
  symlinkSync('a', inVolume('link'))
  await opened('link/new/deep')
  const made = ['a/new', 'a/new/deep'].map((path) => statSync(inVolume(path)))
  assert.deepEqual(
    made.map(({ mode }) => (mode & 0o7777).toString(8)),
    ['2770', '2770'],
  )
  await opened('link/new/deep')
})

test('no link that a container has planted leads out of the volume', { skip }, async () => {
  const { opened, inVolume, host } = stage()
  symlinkSync(host, inVolume('absolute'))
  symlinkSync('../host', inVolume('relative'))
  symlinkSync('/nonexistent/x', inVolume('nothing'))
  symlinkSync('ring', inVolume('ring'))
  symlinkSync(`${inVolume('')}-beside`, inVolume('beside'))
  mkdirSync(`${inVolume('')}-beside`)
  const refused: readonly (readonly [string, RegExp])[] = [
    ['absolute', /leads out of the volume by a link/],
    ['absolute/secret', /leads out of the volume by a link/],
    ['absolute/new', /leads out of the volume by a link/],
    ['relative/new', /leads out of the volume by a link/],
    ['beside', /leads out of the volume by a link/],
    ['nothing', /is a link to nothing/],
    ['nothing/deep', /is a link to nothing/],
    ['ring', /leads through a ring of links/],
    ['a/file/x', /leads through a file/],
  ]
  for (const [path, why] of refused) await assert.rejects(opened(path), why, path)
  assert.deepEqual(readdirSync(host), ['secret'])
})

test('a link put in the way while it is opened never leads out', { skip }, async () => {
  const { inVolume, volume, host } = stage()
  mkdirSync(inVolume('a/secret'))
  const outside = new Set([statSync(host).ino, statSync(join(host, 'secret')).ino])
  let isSwapping = true
  const swapping = (async () => {
    while (isSwapping) {
      await rename(inVolume('a'), inVolume('z')).catch(() => undefined)
      await symlink(host, inVolume('a')).catch(() => undefined)
      await unlink(inVolume('a')).catch(() => undefined)
      await rename(inVolume('z'), inVolume('a')).catch(() => undefined)
    }
  })()
  for (let attempt = 0; attempt < 300; attempt++) {
    for (const path of ['a/secret', 'a/new', 'a']) {
      const found = await openSubPath(volume, path).catch(() => undefined)
      const stats = await found?.handle.stat()
      await found?.handle.close()
      assert.ok(!stats || !outside.has(stats.ino))
    }
  }
  isSwapping = false
  await swapping
  assert.deepEqual(readdirSync(host), ['secret'])
})

test('a pipe or device is not opened as such', { skip }, async () => {
  const { opened, inVolume } = stage()
  execFileSync('mkfifo', [inVolume('pipe')])
  assert.ok((await opened('pipe')).isFIFO())
})

test('a volume that is a link itself is the one that it leads to', { skip }, async () => {
  const { volume } = stage()
  const link = `${volume}-link`
  symlinkSync(volume, link)
  const { handle, path } = await openSubPath(link, 'a/b')
  await handle.close()
  assert.equal(path, join(volume, 'a/b'))
})
