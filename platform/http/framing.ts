import type { IncomingMessage } from 'node:http'

/** More are no request of anybody's; Node.js would leave out what is beyond a count without a word. */
const MOST_HEADERS = 256

export interface Doubt {
  readonly status: 400 | 431 | 501 | 505
  readonly why: string
}

/**
 * Why a request that Node.js's parser has let through is refused: something before or behind this server could have read it in
 * another way, and taken a part of it for another request (RFC 9112 §2.3, §3.2, §6.1).
 */
export function doubtOf({ headers, rawHeaders, headersDistinct, httpVersion }: IncomingMessage): Doubt | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return doubt(505, 'of HTTP, 1.1 and 1.0 are served')
  if (rawHeaders.length / 2 > MOST_HEADERS) return doubt(431, `it has more than ${MOST_HEADERS} headers`)
  if (hasTwoHosts(rawHeaders)) return doubt(400, 'the header Host comes more than once')
  const coding = headers['transfer-encoding']
  if (coding === undefined) return undefined
  if (httpVersion === '1.0') return doubt(400, 'HTTP/1.0 has no transfer codings')
  if (!/^chunked$/i.test(coding) || headersDistinct['transfer-encoding']?.length !== 1)
    return doubt(501, 'of transfer codings, chunked alone is served')
  return undefined
}

/** Whether a body was announced, be it of no bytes. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function doubt(status: Doubt['status'], why: string): Doubt {
  return { status, why }
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts++
  return hosts > 1
}
