import assert from 'node:assert/strict'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { serveApi } from '../../hub/apiserver/testing/serve.ts'
import { needsSmallDisk, smallDisk } from '../../tools/testing/small-disk.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

const skip = needsSmallDisk()

/** Commands that write a file to a disk that is full, or has room. */
async function setup(t: TestContext) {
  const disk = await smallDisk(t, '4m')
  const data = temporaryFolder('skerry-written-')
  const skerry = (...args: readonly string[]) => {
    const [program, ...words] = disk.on(process.execPath, launcher, ...args, '--data', data)
    return run(program, words)
  }
  const names = async () => (await readdir(disk.outside)).filter((name) => name !== 'filler')
  return { disk, data, skerry, names, at: (name: string) => join(disk.path, name) }
}

test('on a full disk each command that writes a file names it, says what to do, and leaves no part of one', {
  skip,
}, async (t) => {
  const { disk, data, skerry, names, at } = await setup(t)
  await using _api = await serveApi(data)
  await writeFile(join(data, 'config.yaml'), 'node: {name: edge-1}\n')
  await disk.fill()
  for (const [words, name] of [
    [['kubeconfig', '--out', at('kubeconfig')], 'kubeconfig'],
    [['user', 'create', 'ann', '--out', at('ann.kubeconfig')], 'ann.kubeconfig'],
    [['backup', at('api.backup')], 'api.backup'],
    [['mapper', 'new', 'acme-co2', '--dir', at('acme')], 'acme'],
  ] as const) {
    const { code, stderr } = await skerry(...words)
    assert.equal(code, 1, stderr)
    assert.match(
      stderr,
      new RegExp(`^skerry: ${at(name)} cannot be written, the disk is full: free some space, then try`),
    )
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.deepEqual(await names(), [])
  }
  await disk.free()
  const made = await skerry('kubeconfig', '--out', at('kubeconfig'))
  assert.equal(made.code, 0, made.stderr)
  assert.equal((await stat(join(disk.outside, 'kubeconfig'))).mode & 0o777, 0o600)
})

test('a place where nobody may write, or that is not there, is named with what to do', { skip }, async (t) => {
  const { disk, data, skerry, at } = await setup(t)
  await writeFile(join(data, 'config.yaml'), 'node: {name: edge-1}\n')
  const nowhere = await skerry('kubeconfig', '--out', at('none/kubeconfig'))
  assert.match(nowhere.stderr, /none\/kubeconfig cannot be written, its folder is not there: make it, or name another/)
  assert.ok(disk.remount('ro'))
  const readOnly = await skerry('kubeconfig', '--out', at('kubeconfig'))
  assert.match(
    readOnly.stderr,
    /kubeconfig cannot be written, the disk is read-only: mount it writable, or name another/,
  )
})
