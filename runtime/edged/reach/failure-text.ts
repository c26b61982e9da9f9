import { DeadlineError } from '../../../platform/time/index.ts'

/** What went wrong on the way to a container, in the words that users of Kubernetes know and look for. */
export function failureText(error: unknown, address: string): string {
  if (error instanceof DeadlineError) return `dial tcp ${address}: i/o timeout`
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = CONNECTING[code]
  if (known !== undefined) return `dial tcp ${address}: connect: ${known}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${address}: no such host`
  if (isPlainAnswer(error)) return 'http: server gave HTTP response to HTTPS client'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return `tls: ${reasonOf(error)}`
  if (code === 'HPE_HEADER_OVERFLOW') return 'net/http: server response headers exceeded the limit'
  if (code.startsWith('HPE_')) return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response'
  if (code === 'EPIPE') return 'write: broken pipe'
  // Node.js has this code both for a reset and for an end without an answer.
  if (code === 'ECONNRESET') return 'syscall' in error ? 'read: connection reset by peer' : 'EOF'
  return error.message || code
}

/** Somebody without TLS was asked with it. */
export function isPlainAnswer(error: unknown): boolean {
  return error instanceof Error && /wrong version number|packet length too long/.test(error.message)
}

const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
}

/** `write EPROTO 40BD:error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:../deps/...`. */
function reasonOf({ message }: Error): string {
  return /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message
}
