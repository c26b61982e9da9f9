/**
 * The text of a member of a JSON object as it was written, so that numbers keep all their digits. The text has been parsed before:
 * it is JSON. Of several members of one name the last counts, as for `JSON.parse`.
 */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined
  let depth = 0
  let key: string | undefined
  let start = -1
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '"') {
      const end = endOfString(json, at)
      if (depth === 1 && start < 0) key = String(JSON.parse(json.slice(at, end)))
      at = end - 1
    } else if (char === ':' && depth === 1 && start < 0) {
      start = at + 1
    } else if (char === '{' || char === '[') {
      depth++
    } else if (char === '}' || char === ']' || (char === ',' && depth === 1)) {
      if (depth === 1 && start >= 0 && key === name) found = json.slice(start, at).trim()
      if (depth === 1) start = -1
      if (char !== ',') depth--
    }
  }
  return found
}

/** After its closing quotation mark. */
function endOfString(json: string, from: number): number {
  let at = from + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}
