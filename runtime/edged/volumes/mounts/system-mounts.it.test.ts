import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { seconds, systemClock } from '../../../../platform/time/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { needsMounts } from '../testing/needs-mounts.ts'
import { runProgram } from './run-program.ts'
import { SystemMounts } from './system-mounts.ts'

const skip = needsMounts()

test('memory is mounted with its size, mode and group, told of and unmounted', { skip }, async (t) => {
  const mounts = new SystemMounts(systemClock)
  assert.equal(await mounts.isAllowed(), true)
  const folder = temporaryFolder()
  const [target, link] = [join(folder, 'a b\\c'), join(folder, 'link')]
  mkdirSync(target)
  symlinkSync(target, link)
  t.after(async () => {
    for (const { path } of await mounts.under(folder)) await mounts.unmount(path)
  })
  assert.equal(await mounts.isMounted(target), false)
  await mounts.tmpfs(target, { bytes: 1024 * 1024, mode: 0o2777, gid: 2000 })
  const found = statSync(target)
  const { bsize, blocks } = statfsSync(target)
  assert.deepEqual([(found.mode & 0o7777).toString(8), found.gid, bsize * blocks], ['2777', 2000, 1024 * 1024])
  assert.deepEqual([await mounts.isMounted(target), await mounts.isMounted(link)], [true, true])
  mkdirSync(join(target, 'inner'))
  await mounts.tmpfs(join(target, 'inner'), { bytes: 0, mode: 0o700 })
  const real = realpathSync(target)
  assert.deepEqual(await mounts.under(folder), [
    { path: join(real, 'inner'), type: 'tmpfs' },
    { path: real, type: 'tmpfs' },
  ])
  await assert.rejects(mounts.unmount(target), { code: 'EDGED_MOUNT_FAILED' })
  for (const { path } of await mounts.under(folder)) await mounts.unmount(path)
  assert.deepEqual(await mounts.under(folder), [])
})

test('an open folder is shown, whatever its path leads to meanwhile', { skip }, async (t) => {
  const mounts = new SystemMounts(systemClock)
  const folder = temporaryFolder()
  const at = (name: string) => join(folder, name)
  for (const name of ['meant', 'other', 'target']) mkdirSync(at(name))
  writeFileSync(join(at('meant'), 'right'), '')
  writeFileSync(join(at('other'), 'wrong'), '')
  await using handle = await open(at('meant'))
  renameSync(at('meant'), at('moved'))
  symlinkSync(at('other'), at('meant'))
  t.after(() => mounts.unmount(at('target')))
  await mounts.bind(handle.fd, at('target'))
  assert.deepEqual(readdirSync(at('target')), ['right'])
})

test('what the system says of its failure is told', { skip }, async () => {
  const mounts = new SystemMounts(systemClock)
  await assert.rejects(mounts.tmpfs('/nonexistent/place', { bytes: 0, mode: 0o700 }), (error) => {
    assert.ok(error instanceof Error && 'fields' in error)
    assert.match(JSON.stringify(error.fields), /mount point does not exist/)
    return true
  })
})

test('a program that hangs is killed at its deadline, and one that is not there is named', { skip }, async () => {
  const folder = temporaryFolder()
  const program = { program: 'sh', args: ['-c', `echo $$ > ${folder}/pid; exec sleep 300`] }
  await assert.rejects(runProgram(systemClock, { ...program, deadline: seconds(1) }), { code: 'PLATFORM_DEADLINE' })
  const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
  // It was told to end; the kernel does so when it comes to it.
  await promisify(execFile)('timeout', ['20', 'tail', '--pid', pid, '-s', '0.05', '-f', '/dev/null'])
  await assert.rejects(runProgram(systemClock, { program: 'no-such-program', args: [], deadline: seconds(1) }), {
    code: 'EDGED_PROGRAM_MISSING',
  })
})
