import type { IncomingMessage } from 'node:http'

const NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost'])

/** It comes from a web page, or asks for another host: a page may have a name that leads to the loopback (DNS rebinding). */
export function isForeign({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.origin !== undefined || !NAMES.has((headers.host ?? '').replace(/:\d+$/, ''))
}
