import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, rename, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { needsLinux, needsMounts } from '../testing/needs-mounts.ts'
import { emptyFolder, removeTree } from './remove-tree.ts'

const skip = needsLinux()

test('a tree goes with all in it, links as links, names in whatever bytes', { skip }, async () => {
  const folder = temporaryFolder()
  const [tree, host] = [join(folder, 'tree'), join(folder, 'host')]
  mkdirSync(join(tree, 'a', 'b'), { recursive: true })
  mkdirSync(join(tree, 'closed'), { mode: 0o000 })
  mkdirSync(host)
  writeFileSync(join(host, 'precious'), 'kept')
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff, 0xfe, 0x0a])]), 'x')
  mkdirSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xe4])]))
  symlinkSync(host, join(tree, 'a', 'to-host'))
  symlinkSync('/nonexistent', join(tree, 'to-nothing'))
  await removeTree(tree)
  await removeTree(tree)
  assert.deepEqual(readdirSync(folder), ['host'])
  assert.equal(readFileSync(join(host, 'precious'), 'utf8'), 'kept')
  symlinkSync(host, tree)
  await removeTree(tree)
  assert.deepEqual([readdirSync(folder), readdirSync(host)], [['host'], ['precious']])
})

test('a tree goes however deep and wide it is', { skip }, async () => {
  const tree = join(temporaryFolder(), 'tree')
  // Deeper than a path can say.
  const script =
    'mkdir "$1" && cd "$1" && i=0; while [ $i -lt 450 ]; do mkdir -p dddddddddd/x && cd -P dddddddddd && i=$((i+1)); done'
  execFileSync('sh', ['-c', script, 'sh', tree])
  mkdirSync(join(tree, 'wide'))
  for (let each = 0; each < 2000; each++) writeFileSync(join(tree, 'wide', String(each)), '')
  await removeTree(tree)
  assert.equal(existsSync(tree), false)
})

test('a link that is put in place of a folder while a tree goes leads nowhere', { skip }, async () => {
  const folder = temporaryFolder()
  const [tree, host] = [join(folder, 'tree'), join(folder, 'host')]
  mkdirSync(host)
  for (let each = 0; each < 50; each++) writeFileSync(join(host, String(each)), '')
  for (let round = 0; round < 20; round++) {
    mkdirSync(join(tree, 'a'), { recursive: true })
    for (let each = 0; each < 50; each++) writeFileSync(join(tree, 'a', String(each)), '')
    const swapped = (async () => {
      for (let each = 0; each < 20; each++) {
        await rename(join(tree, 'a'), join(tree, 'b')).catch(() => undefined)
        await symlink(host, join(tree, 'a')).catch(() => undefined)
        await unlink(join(tree, 'a')).catch(() => undefined)
        await rename(join(tree, 'b'), join(tree, 'a')).catch(() => undefined)
      }
    })()
    // Who loses such a race is told so, and tries again.
    await removeTree(tree).catch(() => undefined)
    await swapped
    await removeTree(tree)
    assert.equal(existsSync(tree), false)
    assert.equal(readdirSync(host).length, 50)
  }
})

test('a folder can be emptied and stay', { skip }, async () => {
  const folder = temporaryFolder()
  await mkdir(join(folder, 'a', 'b'), { recursive: true })
  await emptyFolder(folder)
  assert.deepEqual(readdirSync(folder), [])
})

test('what a mount shows of the host is not removed, of the same disk or another', {
  skip: needsMounts(),
}, async (t) => {
  const folder = temporaryFolder()
  const [tree, host] = [join(folder, 'tree'), join(folder, 'host')]
  mkdirSync(join(tree, 'a', 'shown'), { recursive: true })
  mkdirSync(join(tree, 'memory'))
  writeFileSync(join(tree, 'file'), '')
  mkdirSync(host)
  writeFileSync(join(host, 'precious'), 'kept')
  const mounted: string[] = []
  t.after(() => {
    for (const path of mounted.splice(0)) execFileSync('umount', [path])
  })
  const mount = (target: string, ...args: readonly string[]) => {
    execFileSync('mount', [...args, target])
    mounted.push(target)
  }
  const isRefused = (path: string) => assert.rejects(removeTree(path), { code: 'EDGED_STILL_MOUNTED' })
  mount(join(tree, 'a', 'shown'), '--bind', host)
  await isRefused(tree)
  await isRefused(join(tree, 'a', 'shown'))
  assert.equal(readFileSync(join(host, 'precious'), 'utf8'), 'kept')
  for (const path of mounted.splice(0)) execFileSync('umount', [path])
  mkdirSync(join(tree, 'memory'), { recursive: true })
  mount(join(tree, 'memory'), '-t', 'tmpfs', 'tmpfs')
  writeFileSync(join(tree, 'memory', 'x'), 'kept')
  await isRefused(tree)
  assert.equal(readFileSync(join(tree, 'memory', 'x'), 'utf8'), 'kept')
  for (const path of mounted.splice(0)) execFileSync('umount', [path])
  writeFileSync(join(tree, 'file'), '')
  mount(join(tree, 'file'), '--bind', join(host, 'precious'))
  await isRefused(tree)
  assert.equal(readFileSync(join(host, 'precious'), 'utf8'), 'kept')
})
