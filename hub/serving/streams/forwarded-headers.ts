import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { SentRequest } from '../requests/resource-request.ts'

/** Of one connection alone (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
])

/**
 * Headers of a request as they go on to a node or what runs on it: without what makes the caller who he is, which is for the API
 * alone, and without what belongs to his connection.
 */
export function forwardedHeaders({ headersDistinct, headers, address }: SentRequest): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((each) => each.trim().toLowerCase()))
  const kept: OutgoingHttpHeaders = {}
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    if (HOP_BY_HOP.has(name) || named.has(name) || isSecret(name)) continue
    kept[name] = name === 'host' ? (values[0] ?? '') : values
  }
  const before = headersDistinct['x-forwarded-for'] ?? []
  kept['x-forwarded-for'] = [...before, address].filter((each) => each !== '').join(', ')
  return kept
}

function isSecret(name: string): boolean {
  return name === 'authorization' || name.startsWith('impersonate-') || name.startsWith('x-remote-')
}

/** The same for a request that asks for another protocol. */
export function upgradeHeaders(request: SentRequest): OutgoingHttpHeaders {
  const { upgrade } = request.headers
  return { ...forwardedHeaders(request), connection: 'Upgrade', ...(upgrade === undefined ? {} : { upgrade }) }
}

/** Headers of an answer as they go back to the client. */
export function answeredHeaders({ headersDistinct }: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headersDistinct).filter(([name]) => !HOP_BY_HOP.has(name) && !name.startsWith('access-control-')),
  )
}
