import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

const PAGE = 'docs/reference/kubeedge-hub.md'
const ROOT = join(import.meta.dirname, '..')
const CHECKS = 113
const PROVEN = ['same', 'more', 'other']

test('the page of the hub’s checks has each of them once, and names tests that exist', async () => {
  const titles = await testTitles()
  const rows = (await readFile(join(ROOT, PAGE), 'utf8')).split('\n').filter((line) => line.startsWith('| H'))
  const numbers: number[] = []
  for (const row of rows) {
    const [, check = '', behaviour = '', here = '', title = ''] = row.split('|').map((cell) => cell.trim())
    numbers.push(Number(check.slice(1)))
    assert.notEqual(behaviour, '', check)
    const verdict = /^(same|more: |other: |not served yet: )/.exec(here)?.[1]
    assert.ok(verdict, `${check}: ${here}`)
    if (PROVEN.some((word) => here.startsWith(word)) || title !== '') {
      assert.ok(titles.includes(`'${title}'`), `${check} names no test: ${title}`)
    }
  }
  assert.deepEqual(
    numbers,
    Array.from({ length: CHECKS }, (_, at) => at + 1),
  )
})

/** Source of all tests of the hub; a title stands in quotes after `test(`. */
async function testTitles(): Promise<string> {
  let text = ''
  for await (const file of glob('hub/**/*.test.ts', { cwd: ROOT })) text += await readFile(join(ROOT, file), 'utf8')
  return text
}
