import type { IncomingHttpHeaders } from 'node:http'

/** Headers by their names in lower case, each with its values. */
export type HeaderMap = Readonly<Record<string, readonly string[]>>

/** RFC 9110 §7.6.1, and what older proxies use. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'http2-settings', 'expect'],
])
/** What proves to the Router who calls, or says to whom it listens: no business of a node. */
const OF_THE_CALLER: ReadonlySet<string> = new Set(['authorization', 'cookie', 'cookie2', 'host', 'content-length'])
const OF_THE_SERVICE: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2', 'strict-transport-security'])
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/

/** What of a caller's headers goes on. */
export function forwardedHeaders(headers: IncomingHttpHeaders | NodeJS.Dict<string[]>): HeaderMap {
  return filtered(Object.entries(headers), (name) => !OF_THE_CALLER.has(name) && !name.startsWith('x-skerry-'))
}

/** What of a service's headers goes back; nothing that would speak for the Router. */
export function answeredHeaders(headers: Iterable<readonly [string, unknown]>): HeaderMap {
  return filtered(headers, (name) => !OF_THE_SERVICE.has(name) && name !== 'content-length')
}

function filtered(headers: Iterable<readonly [string, unknown]>, isWanted: (name: string) => boolean): HeaderMap {
  const all = [...headers].map(([name, value]) => [name.toLowerCase(), valuesOf(value)] as const)
  const named = new Set(
    all
      .filter(([name]) => name === 'connection')
      .flatMap(([, values]) =>
        values
          .join(',')
          .toLowerCase()
          .split(/\s*,\s*/),
      ),
  )
  const kept: Record<string, readonly string[]> = {}
  for (const [name, values] of all) {
    const isGood = NAME.test(name) && name !== '__proto__' && values.every(isPlain)
    if (isGood && values.length > 0 && !OF_ONE_HOP.has(name) && !named.has(name) && isWanted(name))
      kept[name] = [...(kept[name] ?? []), ...values]
  }
  return kept
}

function valuesOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((each) => typeof each === 'string')
}

/** What Node.js would refuse to write, or a peer read as more than one header. */
function isPlain(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 9110 §5.5
  return !/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value)
}
