import { createHash } from 'node:crypto'
import { certificateError } from './errors.ts'

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'EC PRIVATE KEY' | 'PRIVATE KEY' | 'PUBLIC KEY'

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/

export function pemOf(der: Uint8Array, label: PemLabel): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** DER of the first block of a PEM text. Throws PLATFORM_CERTIFICATE_INVALID where there is none. */
export function derOf(pem: string): Uint8Array {
  const body = BLOCK.exec(pem)?.[2]
  if (body === undefined) throw certificateError('This is not PEM')
  return new Uint8Array(Buffer.from(body, 'base64'))
}

/** Lower-case hex SHA-256, of a certificate's DER for example. */
export function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** DER of what is DER or PEM already. */
export function asDer(source: string | Uint8Array): Uint8Array<ArrayBuffer> {
  // A copy, so that the result has its own buffer.
  return new Uint8Array(typeof source === 'string' ? derOf(source) : source)
}
