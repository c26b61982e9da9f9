import type { Metrics } from '../health/metrics.ts'

/**
 * Why a connection was ended by the server: `full` too many are open, `slow` a head or body that did not come in time, `unread` an
 * answer that nobody read, `malformed` what is no request, `long` a head beyond its bound, `doubtful` a request that two parsers could
 * read in two ways, `handshake` no TLS came about.
 */
export type RefusalCause = 'full' | 'slow' | 'unread' | 'malformed' | 'long' | 'doubtful' | 'handshake'

export type OnRefused = (cause: RefusalCause) => void

/** Counts what the server of this name refuses. */
export function countRefusals(metrics: Metrics, server: string): OnRefused {
  const refused = metrics.counter({
    name: 'skerry_http_refused_total',
    help: 'Connections that an HTTP server ended, by server and cause: full, slow, unread, malformed, long, doubtful, handshake.',
    labels: ['server', 'cause'],
  })
  return (cause) => refused.add(1, { server, cause })
}
