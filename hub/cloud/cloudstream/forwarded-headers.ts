import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** What a kubelet needs to know of a request. Credentials of callers never leave the cloud. */
const TO_NODE = [
  'accept',
  'accept-encoding',
  'content-type',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'traceparent',
  'user-agent',
  'x-stream-protocol-version',
]
/** RFC 9110 §7.6.1, and the older ones. */
const OF_A_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** A WebSocket client of a browser may put its token there. */
const TOKEN_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./

export function headersForNode(headers: IncomingHttpHeaders): Readonly<Record<string, string | string[]>> {
  const kept: Record<string, string | string[]> = {}
  for (const name of TO_NODE) {
    const value = headers[name]
    if (value !== undefined) kept[name] = name === 'sec-websocket-protocol' ? withoutToken(value) : value
  }
  return kept
}

function withoutToken(value: string | string[]): string {
  return [value]
    .flat()
    .flatMap((each) => each.split(','))
    .map((each) => each.trim())
    .filter((each) => !TOKEN_PROTOCOL.test(each))
    .join(', ')
}

/** Names and values in turn, as `writeHead` takes them; repeated headers stay repeated. */
export function headersForClient({ rawHeaders }: IncomingMessage, keeps: readonly string[] = []): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]]
    if (!OF_A_HOP.has(name.toLowerCase()) || keeps.includes(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}
