import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** A page, by its path from the root of the repository. */
export interface Page {
  readonly file: string
  readonly text: string
}

/** Links of the pages to files that are not there, to headings that no page has, and out of the repository. */
export function brokenLinks(pages: readonly Page[], root: string): readonly string[] {
  const anchors = new Map(pages.map((page) => [page.file, anchorsOf(page.text)]))
  const broken = (page: Page, link: Link): string | undefined => {
    const [path = '', anchor] = link.target.split('#')
    const file = path === '' ? page.file : normalize(join(dirname(page.file), decodeURI(path))).replace(/\/$/, '')
    if (file.startsWith('..') || !existsSync(join(root, file))) return 'there is no such file'
    if (anchor === undefined) return undefined
    if (statSync(join(root, file)).isDirectory()) return 'a folder has no headings'
    return anchors.get(file)?.has(anchor) ? undefined : 'there is no such heading'
  }
  return pages.flatMap((page) =>
    linksOf(page.text).flatMap((link) => {
      const reason = broken(page, link)
      return reason === undefined ? [] : [`${page.file}:${link.line}: ${link.target}: ${reason}`]
    }),
  )
}

/** Pages that no other page links to. */
export function orphans(pages: readonly Page[]): readonly string[] {
  const linked = new Set(
    pages.flatMap(({ file, text }) =>
      linksOf(text)
        .map(({ target }) => target.split('#')[0] ?? '')
        .filter((path) => path !== '')
        .map((path) => normalize(join(dirname(file), path))),
    ),
  )
  return pages.map(({ file }) => file).filter((file) => !linked.has(file))
}

interface Link {
  readonly target: string
  readonly line: number
}

/** Links to this repository; those to elsewhere are not looked at. */
function linksOf(text: string): readonly Link[] {
  return proseOf(text).flatMap((line, index) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => ({ target, line: index + 1 }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  )
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const anchors = new Set<string>()
  for (const line of proseOf(text, 'with code spans')) {
    const [, heading] = /^#{1,6} +(.*?) *$/.exec(line) ?? []
    if (heading === undefined) continue
    const anchor = heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`)
  }
  return anchors
}

/** Lines of the page, empty where they are code. */
function proseOf(text: string, spans?: 'with code spans'): readonly string[] {
  let isCode = false
  return text.split('\n').map((line) => {
    if (/^\s*```/.test(line)) {
      isCode = !isCode
      return ''
    }
    if (isCode) return ''
    return spans ? line : line.replace(/`[^`]*`/g, '')
  })
}
