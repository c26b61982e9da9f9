import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

it('a program of its own finds all of skerry/mapper/testing', async () => {
  const door = await import(new URL('../../bin/mapper-testing.mjs', import.meta.url).href)
  const testing = await import('./index.ts')
  assert.deepEqual(Object.keys(door).sort(), Object.keys(testing).sort())
})

it('a program of its own finds all of skerry/mapper/line', async () => {
  const door = await import(new URL('../../bin/mapper-line.mjs', import.meta.url).href)
  const line = await import('../text-line/index.ts')
  assert.deepEqual(Object.keys(door).sort(), Object.keys(line).sort())
})

it('the page of the contract names every member of a mapper, and no other', async () => {
  const [, members = ''] =
    /export interface Mapper<[^{]*\{\n(.*?)\n\}\n/s.exec(await read('mappers/contract/mapper.ts')) ?? []
  const declared = [...members.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name]) => name)
  const page = await read('docs/reference/mapper-contract.md')
  const [, table = ''] = /## Members\n(.*?)\n\n`configSchema/s.exec(page) ?? []
  const rows = table.split('\n').filter((row) => row.startsWith('| `'))
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name))
  assert.deepEqual(named.toSorted(), declared.toSorted())
})
