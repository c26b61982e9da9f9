/** What an expression stands for, or nothing. */
export type Lookup = (name: string) => string | undefined

const EXPRESSION = /\$(?:\$|\(([^)]*)\))/g

/**
 * `$(NAME)` becomes what the name stands for, and stays as it is where it stands for nothing; `$$` is a `$` that begins no
 * expression; all else stays (Kubernetes, Container.command).
 */
export function expand(text: string, lookup: Lookup): string {
  // After the last closer nothing can be an expression: without this, a text of openers alone would be read once for each.
  const end = text.lastIndexOf(')') + 1
  const expanded = text
    .slice(0, end)
    .replace(EXPRESSION, (whole, name: string | undefined) => (name === undefined ? '$' : (lookup(name) ?? whole)))
  return expanded + text.slice(end).replaceAll('$$', () => '$')
}
