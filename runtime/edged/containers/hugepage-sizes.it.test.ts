import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { hugepageSizes } from './hugepage-sizes.ts'

test('a machine’s huge pages are named as its cgroups name them', async () => {
  const folder = temporaryFolder()
  for (const name of ['hugepages-64kB', 'hugepages-1048576kB', 'other']) await mkdir(join(folder, name))
  assert.deepEqual([...(await hugepageSizes(folder))].sort(), ['1GB', '64KB'])
  assert.deepEqual(await hugepageSizes(join(folder, 'none')), [])
})
