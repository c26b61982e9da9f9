import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { brokenLinks, orphans, type Page } from './links.ts'

const ROOT = join(import.meta.dirname, '..')

function pages(): readonly Page[] {
  const listed = execFileSync('git', ['ls-files', '-z', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  return listed
    .split('\0')
    .filter((file) => file !== '')
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))
}

describe('links of the pages', () => {
  it('lead to files and headings that are there', () => assert.deepEqual(brokenLinks(pages(), ROOT), []))

  it('lead to every page of docs', () => {
    assert.deepEqual(
      orphans(pages()).filter((file) => file.startsWith('docs/')),
      [],
    )
  })
})

describe('what is said of links', () => {
  const at = (text: string) => brokenLinks([{ file: 'docs/index.md', text }], ROOT)

  it('names the page, the line and the link to a file that is not there', () =>
    assert.deepEqual(at('# A\n\n[b](gone.md)'), ['docs/index.md:3: gone.md: there is no such file']))

  it('knows a link to a heading that is not there', () =>
    assert.deepEqual(at('# A\n[b](#c)'), ['docs/index.md:2: #c: there is no such heading']))

  it('finds a heading by the words that GitHub makes of it, the second of a name too', () =>
    assert.deepEqual(at('# A `b-c`: d, e?\n# Same\n# Same\n[x](#a-b-c-d-e) [y](#same-1)'), []))

  it('passes over code and other sites', () =>
    assert.deepEqual(at('`[a](gone)` [b](https://example.net)\n```\n[c](gone)\n```'), []))

  it('knows a page that nobody links to', () =>
    assert.deepEqual(
      orphans([
        { file: 'docs/a.md', text: '[b](b.md#x)' },
        { file: 'docs/b.md', text: '' },
      ]),
      ['docs/a.md'],
    ))
})
