/** Deeper bodies are refused by the parser's caller anyway; here the walk just ends. */
const DEEPEST = 1000
const MOST_NAMED = 100

/**
 * Members that occur twice in one object of a JSON text, as strict field validation names them (`spec.foo`).
 * JSON.parse keeps the last of them without a word. The text must be valid JSON.
 */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = []
  const stack: Level[] = []
  let key: string | undefined
  for (const { 0: token } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const level = stack.at(-1)
    if (token === '{' || token === '[') {
      if (stack.length >= DEEPEST) break
      stack.push({ path: pathBelow(level, key), names: token === '{' ? new Set() : undefined, position: 0 })
      key = undefined
    } else if (token === '}' || token === ']') {
      stack.pop()
      key = undefined
    } else if (token === ',') {
      if (level) level.position += 1
      key = undefined
    } else if (token !== ':' && level?.names && key === undefined) {
      const name: unknown = JSON.parse(token)
      key = String(name)
      const path = level.path === '' ? key : `${level.path}.${key}`
      if (level.names.has(key) && !found.includes(path) && found.length < MOST_NAMED) found.push(path)
      level.names.add(key)
    }
  }
  return found
}

interface Level {
  readonly path: string
  /** Present for objects. */
  readonly names: Set<string> | undefined
  position: number
}

function pathBelow(level: Level | undefined, key: string | undefined): string {
  if (!level) return ''
  if (!level.names) return `${level.path}[${level.position}]`
  return level.path === '' ? (key ?? '') : `${level.path}.${key ?? ''}`
}
