import { type Mutant, PRELUDE } from './mutant.ts'

/** The source of the mutant. Throws for an edit that does not apply exactly once: the table follows the source. */
export function mutate(source: string, { bug, edits }: Mutant): string {
  let text = source
  for (const [find, replace] of edits) {
    const at = text.indexOf(find)
    if (at < 0 || text.indexOf(find, at + 1) >= 0)
      throw new Error(`${bug}: this stands not once in the source: ${find}`)
    text = text.slice(0, at) + replace + text.slice(at + find.length)
  }
  return text
}

/** As a file anywhere on the disk: what it imports is named in full. */
export function relocate(source: string): string {
  const imports = source
    .replace("'../../contract/index.ts'", `'${import.meta.resolve('../../contract/index.ts')}'`)
    .replace("'VENDOR'", `'${import.meta.resolve('mqtt')}'`)
  const end = imports.indexOf('\n\n')
  return `${imports.slice(0, end)}\n${PRELUDE}${imports.slice(end)}`
}
