import { describeError, SkerryError } from '../../../platform/lifecycle/index.ts'

/** How a caller hears why his request did not reach a kubelet; people read it behind `Error from server:`. */
export interface Refusal {
  readonly status: number
  readonly text: string
}

const STATUSES: Readonly<Record<string, number>> = {
  HUB_NO_TUNNEL: 503,
  HUB_TUNNEL_CLOSED: 502,
  HUB_TUNNEL_BUSY: 429,
  HUB_TUNNEL_REFUSED: 501,
  HUB_STREAM_SILENT: 504,
  HUB_STREAM_BROKEN: 502,
}

const TEXTS: Readonly<Record<string, (node: string) => string>> = {
  HUB_NO_TUNNEL: (node) =>
    `node ${node} has no tunnel to this cloud, it is off, away, or may not reach the tunnel port`,
  HUB_TUNNEL_BUSY: (node) => `node ${node} has its most streams: end some, or try again soon`,
  HUB_TUNNEL_REFUSED: (node) => `node ${node} runs no kubelet server: edged is off there, or has not started yet`,
  HUB_STREAM_SILENT: (node) => `node ${node} does not answer through its tunnel in time`,
}

export function refusalOf(error: unknown, node: string): Refusal {
  const code = error instanceof SkerryError ? error.code : ''
  const text = TEXTS[code]?.(node) ?? `node ${node} cannot be reached through its tunnel: ${describeError(error)}`
  return { status: STATUSES[code] ?? 502, text }
}

/**
 * So that people read it. Behind an API server kubectl tells of a 503 or 504 to `logs` only that it came, and of a 500 the words;
 * where it asked for a stream it takes words with a colon for YAML, thus for a Status that says nothing.
 */
export function shownByKubectl({ status, text }: Refusal, what: string): Refusal {
  if (what === 'logs') return { status: status === 503 || status === 504 ? 500 : status, text }
  return what === 'node' ? { status, text } : { status, text: text.replaceAll(': ', ', ') }
}
