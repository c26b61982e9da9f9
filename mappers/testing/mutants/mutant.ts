/** One bug, as a change of the source of `line-mapper.ts`. */
export interface Mutant {
  readonly category: Category
  /** What its author got wrong. */
  readonly bug: string
  /** What stands once in the source, and what stands there instead. */
  readonly edits: readonly (readonly [find: string, replace: string])[]
}
export type Category =
  | 'abort'
  | 'batches'
  | 'configuration'
  | 'failures'
  | 'links'
  | 'neighbours'
  | 'state'
  | 'watch'
  | 'write'

/** What the bugs remember; follows the imports of each mutant. */
export const PRELUDE = `
let used = false
let counted = 0
const remembered = new WeakMap()
const cached = new Map()
const kept = new Map()
const watchedOnce = new WeakSet()
const leftOpen = (mapper) => ({ ...defineMapper(mapper) })
`

export function mutant(
  category: Category,
  bug: string,
  find: string,
  replace: string,
  ...more: [string, string][]
): Mutant {
  return { category, bug, edits: [[find, replace], ...more] }
}
