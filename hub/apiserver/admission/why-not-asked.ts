import { DeadlineError } from '../../../platform/time/index.ts'

const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Why a webhook could not be asked: in the words of upstream, where it has some for that. */
export function whyNotAsked(error: unknown): string {
  if (error instanceof DeadlineError) return 'context deadline exceeded'
  if (error instanceof AggregateError && error.errors.length > 0) return whyNotAsked(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const { code, hostname } = { code: textIn(error, 'code'), hostname: textIn(error, 'hostname') }
  if (code === 'ECONNREFUSED') return `dial tcp ${whereIn(error)}: connect: connection refused`
  if (code === 'ECONNRESET') return 'EOF'
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (UNTRUSTED.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  return error.message
}

function whereIn(error: Error): string {
  const address = textIn(error, 'address')
  return `${address.includes(':') ? `[${address}]` : address}:${textIn(error, 'port')}`
}

function textIn(error: object, key: string): string {
  const value: unknown = Reflect.get(error, key)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
