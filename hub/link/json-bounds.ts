/** Kubernetes objects are some twenty levels deep; a Device's configuration is free, but people wrote it. */
const DEEPEST = 200
/** Of objects, arrays and separators: what costs memory far beyond the bytes that say it. */
const MOST_VALUES = 1_000_000

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Why a text is not worth parsing: its depth would overflow the stack of whoever walks it, or it would become a thousand times as
 * large in memory. Looks at each character once and judges nothing else.
 */
export function excessOf(text: string): 'too deep' | 'too many values' | undefined {
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
    } else if (code === COMMA) {
      values++
    } else if (OPENING.has(code)) {
      values++
      if (++depth > DEEPEST) return 'too deep'
    } else if (CLOSING.has(code)) {
      depth--
    }
    if (values > MOST_VALUES) return 'too many values'
  }
  return undefined
}

/** Of the closing quote; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
  return text.length
}
