import assert from 'node:assert/strict'
import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { at, configMap, done, MAPS, watch } from '../../hub/apiserver/testing/objects.ts'
import { type ServedApi, serveApi } from '../../hub/apiserver/testing/serve.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

const skerry = (data: string, ...args: readonly string[]) =>
  run(process.execPath, [launcher, ...args, '--data', data], { timeoutMs: 60_000 })

test('a backup of an API that serves and is written to brings back what was acknowledged before, and newer versions', async () => {
  const folder = temporaryFolder('skerry-backup-')
  const data = join(folder, 'data')
  const file = join(folder, 'api.backup')
  const acknowledged: string[] = []
  let before = 0
  let pki: ServedApi['pki'] | undefined
  {
    await using api = await serveApi(data)
    pki = api.pki
    const write = async (count: number) => {
      await done(api, { method: 'POST', path: MAPS, body: configMap(`map-${count}`) })
      acknowledged.push(`map-${count}`)
    }
    for (let count = 0; count < 20; count++) await write(count)
    const sure = acknowledged.length
    let isMade = false
    const making = skerry(data, 'backup', file).finally(() => {
      isMade = true
    })
    for (let count = sure; !isMade; count++) await write(count)
    const made = await making
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /whoever reads it is its administrator/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.match((await skerry(data, 'backup', file)).stderr, /replace it with --force/)
    await done(api, { method: 'POST', path: MAPS, body: configMap('too-late') })
    before = await versionOf(api)
    acknowledged.length = sure
  }

  const other = join(folder, 'other')
  const restored = await skerry(other, 'restore', file)
  assert.equal(restored.code, 0, restored.stderr)
  await using api = await serveApi(other)
  assert.deepEqual([api.pki.ca, api.pki.accountKey], [pki.ca, pki.accountKey])
  assert.ok((await versionOf(api)) > before)
  const items = at(await done(api, { path: MAPS }), 'items')
  assert.ok(Array.isArray(items))
  const names = new Set(items.map((item) => at(item, 'metadata', 'name')))
  assert.deepEqual(
    acknowledged.filter((name) => !names.has(name)),
    [],
  )
  assert.ok(!names.has('too-late'))
  // A client of the API that is gone.
  using late = await watch(api, `${MAPS}?watch=1&resourceVersion=${before}`)
  assert.equal(at((await late.next()).object, 'code'), 410)
})

test('a restore touches nothing that runs, nothing that is there, and nothing for a backup that is not sound', async () => {
  const folder = temporaryFolder('skerry-backup-')
  const data = join(folder, 'data')
  const file = join(folder, 'api.backup')
  {
    await using api = await serveApi(data)
    await done(api, { method: 'POST', path: MAPS, body: configMap('kept') })
    assert.equal((await skerry(data, 'backup', file)).code, 0)
    await done(api, { method: 'POST', path: MAPS, body: configMap('later') })
  }
  const refused = await skerry(data, 'restore', file)
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /holds a Kubernetes API already: name an empty directory, or replace it with --force/)
  assert.deepEqual(await mapsIn(data), ['kept', 'later'])
  const first = await skerry(data, 'restore', file, '--force')
  assert.equal(first.code, 0, first.stderr)
  assert.deepEqual(await mapsIn(data), ['kept'])
  const aside = (await readdir(data)).find((name) => name.startsWith('replaced-')) ?? ''
  assert.deepEqual(await mapsIn(join(data, aside)), ['kept', 'later'], 'what was there before is kept')

  const { lockDirectory } = await import('../../platform/files/index.ts')
  {
    await using _lock = await lockDirectory(data)
    assert.match((await skerry(data, 'restore', file, '--force')).stderr, /Another process uses this data directory/)
  }
  await truncate(file, 20_000)
  const unsound = await skerry(data, 'restore', file, '--force')
  assert.match(unsound.stderr, /cannot be used, and nothing was changed/)
  assert.deepEqual(await mapsIn(data), ['kept'])
  assert.match((await skerry(join(folder, 'none'), 'backup', join(folder, 'x'))).stderr, /no embedded Kubernetes API/)
  assert.match(await readFile(join(data, 'lock.pid'), 'utf8'), /^\d+\n$/)
})

async function versionOf(api: ServedApi): Promise<number> {
  return Number(at(await done(api, { path: MAPS }), 'metadata', 'resourceVersion'))
}

async function mapsIn(data: string): Promise<readonly string[]> {
  await using api = await serveApi(data)
  const items = at(await done(api, { path: MAPS }), 'items')
  assert.ok(Array.isArray(items))
  return items.map((item) => String(at(item, 'metadata', 'name'))).filter((name) => name !== 'kube-root-ca.crt')
}
