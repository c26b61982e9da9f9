/** Names and values by turns, as Node.js has raw headers: the same name may come more than once. */
export type RawHeaders = readonly string[]

/** RFC 9110 §7.6.1 and what proxies have always taken off; they speak of one connection and are not passed on. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What may be passed on to the next hop; `more` are further names, in lower case, that may not. */
export function endToEnd(headers: RawHeaders, more: readonly string[] = []): string[] {
  const named = namedByConnection(headers)
  const kept: string[] = []
  for (const [name, value] of pairsOf(headers)) {
    const lower = name.toLowerCase()
    if (OF_ONE_HOP.has(lower) || named.has(lower) || more.includes(lower)) continue
    kept.push(name, value)
  }
  return kept
}

export function* pairsOf(headers: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < headers.length; at += 2) yield [headers[at] ?? '', headers[at + 1] ?? '']
}

export function valuesOf(headers: RawHeaders, name: string): readonly string[] {
  return [...pairsOf(headers)].filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
}

/** RFC 9110 §5.5 and §5.6.2: nothing in it can end the line, or the head. */
export function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}

/** A header may name others that are of this hop too, but never those by which the body is found. */
function namedByConnection(headers: RawHeaders): ReadonlySet<string> {
  const names = valuesOf(headers, 'connection').flatMap((value) => value.split(','))
  return new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== 'content-length'))
}
