import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { World } from '../world.ts'

const PAGE = new URL('../../../../docs/explanation/delivery.md', import.meta.url)

test('the page on delivery names exactly the promises that are watched over', async () => {
  using world = new World({ seed: 'page' })
  const page = await readFile(PAGE, 'utf8')
  const rows = page.slice(page.indexOf('| promise |')).split('\n')
  const named = rows.flatMap((row) => /^\| `([^`]+)` \|/.exec(row)?.[1] ?? [])
  assert.deepEqual(named.toSorted(), world.promises.toSorted())
})
