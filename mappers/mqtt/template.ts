/** A text with placeholders, `{name}` or `{name:format}`. Braces around anything else, as in JSON, stand for themselves. */
export interface Template {
  readonly parts: readonly (string | Placeholder)[]
}

export interface Placeholder {
  readonly name: string
  readonly format: string | undefined
}

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_-]*)(?::([A-Za-z]+))?\}/g

export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder)[] = []
  let at = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, name = '', format] = match
    if (match.index > at) parts.push(text.slice(at, match.index))
    parts.push({ name, format })
    at = match.index + whole.length
  }
  if (at < text.length) parts.push(text.slice(at))
  return { parts }
}

export function placeholders(text: string): readonly Placeholder[] {
  return parseTemplate(text).parts.filter((part) => typeof part !== 'string')
}

/** `fill` throws for a placeholder that it does not know. */
export function fillTemplate(text: string, fill: (placeholder: Placeholder) => string): string {
  return parseTemplate(text)
    .parts.map((part) => (typeof part === 'string' ? part : fill(part)))
    .join('')
}
