import type { Page } from './links.ts'

/** What a page may name: keys of the configuration, error codes, metrics, and files, some of which look like keys. */
export interface Known {
  readonly settings: ReadonlySet<string>
  readonly codes: ReadonlySet<string>
  readonly metrics: ReadonlySet<string>
  readonly files: ReadonlySet<string>
}

/** Settings, codes and metrics that pages name and the product does not have. */
export function unknownNames(pages: readonly Page[], known: Known): readonly string[] {
  const sections = new Set([...known.settings].map((key) => key.split('.')[0]))
  const isSetting = (name: string) =>
    [...known.settings].some((key) => key === name || key.startsWith(`${name}.`) || key.startsWith(`${name}[`))
  const isUnknown = (name: string): boolean => {
    if (/^skerry_[a-z_]+$/.test(name)) return !known.metrics.has(name)
    if (/^[A-Z]+(_[A-Z]+){2,}$/.test(name)) return !known.codes.has(name)
    if (!/^[a-z]+(\.[A-Za-z]+)+$/.test(name) || FILE.test(name) || known.files.has(name)) return false
    return sections.has(name.split('.')[0]) && !isSetting(name)
  }
  return pages.flatMap(({ file, text }) =>
    [...text.matchAll(/`([^`{\s]+)(?:\{[^`]*\})?`/g)]
      .map(([, name = '']) => name)
      .filter(isUnknown)
      .map((name) => `${file}: ${name}`),
  )
}

/** Files by what they hold, and the names of Services. */
const FILE = /\.(db|json|sock|svc|ts|yaml)$/
