import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { NodePlace } from './node-place.ts'

/** Of a DeadlineError, which is also the cause of one that no answer came. */
const DEADLINE = 'PLATFORM_DEADLINE'
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
}

/** Why a node cannot be reached, as upstream tells it: `dial tcp 10.0.0.1:10250: connect: connection refused`. */
export function dialError(error: unknown, { host, port }: Pick<NodePlace, 'host' | 'port'>): string {
  const { code, message } = told(error)
  if (code === DEADLINE || code === 'HUB_STREAM_SILENT') return `dial tcp ${host}:${port}: i/o timeout`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: no such host`
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined
  if (words !== undefined) return `dial tcp ${host}:${port}: ${words}`
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'HUB_STREAM_CUT_OFF') return 'EOF'
  if (isCertificateTrouble(code)) return `tls: failed to verify certificate: x509: ${message}`
  return message
}

function told(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  // The reason stands behind what the streams make of it.
  const inner = error instanceof SkerryError && error.cause instanceof Error ? error.cause : error
  const code: unknown = Reflect.get(inner, 'code')
  const outer = error instanceof SkerryError ? error.code : ''
  return { code: typeof code === 'string' ? code : outer, message: inner.message }
}

function isCertificateTrouble(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)
}
