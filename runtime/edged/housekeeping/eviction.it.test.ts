import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { measureStocks } from './eviction-signals.ts'
import { logSizes } from './pod-usage.ts'

const signal = new AbortController().signal

test('what is left of this machine is measured for real; images on the same disk do not count twice', async () => {
  const directory = temporaryFolder()
  const filesystem = (mountpoint: string) => ({ mountpoint, usedBytes: 1, usedInodes: 1 })
  const runtime = { imageFilesystems: async () => [filesystem(directory), filesystem('/not/there')] }
  const stocks = await measureStocks({ directory, runtime }, signal)
  assert.deepEqual(
    Object.keys(stocks).filter((name) => name.startsWith('imagefs')),
    [],
  )
  for (const name of ['memory.available', 'nodefs.available'] as const) {
    const { left, all } = stocks[name] ?? { left: 0, all: 0 }
    assert.ok(left > 0 && left <= all, `${name}: ${left} of ${all}`)
  }
  // Another disk than that of temporary files.
  const elsewhere = { imageFilesystems: async () => [filesystem('/proc')] }
  const both = await measureStocks({ directory, runtime: elsewhere }, signal)
  assert.equal(both['nodefs.available']?.all, stocks['nodefs.available']?.all)
})

test('logs are counted for their containers, with those that were rotated', async () => {
  const directory = temporaryFolder()
  await mkdir(join(directory, 'app'))
  await mkdir(join(directory, 'side'))
  await writeFile(join(directory, 'app', '0.log'), 'x'.repeat(10))
  await writeFile(join(directory, 'app', '0.log.20260101-000000.gz'), 'x'.repeat(5))
  await writeFile(join(directory, 'side', '1.log'), 'x')
  assert.deepEqual(Object.fromEntries(await logSizes(directory)), { app: 15, side: 1 })
  assert.equal((await logSizes(join(directory, 'gone'))).size, 0)
})
