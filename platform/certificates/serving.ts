import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { certificateError } from './errors.ts'

/** PEM of what a TLS server shows, and of whose clients it takes. */
export interface ServingFiles {
  /** With its chain. */
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

/**
 * Throws PLATFORM_CERTIFICATE_INVALID where a server could not be used with them. `createSecureContext` alone lets empty files pass, as
 * they are while somebody writes them: such a server has no certificate, and takes the clients of every public authority.
 */
export function checkServing({ cert, key, ca }: ServingFiles): void {
  const [own] = certificatesIn(cert, 'certificate')
  if (ca !== undefined) certificatesIn(ca, 'CA of clients')
  try {
    createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) })
    if (own?.checkPrivateKey(createPrivateKey(key))) return
  } catch (cause) {
    throw certificateError('The key cannot be read, or is none of this certificate', cause)
  }
  throw certificateError('The key is none of this certificate')
}

function certificatesIn(pem: string, what: string): readonly X509Certificate[] {
  const whole = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const begun = pem.split('-----BEGIN ').length - 1
  if (whole.length === 0) throw certificateError(`The ${what} is empty or no PEM`)
  if (whole.length < begun) throw certificateError(`The ${what} is not whole, or has more than certificates in it`)
  try {
    return whole.map((each) => new X509Certificate(each))
  } catch (cause) {
    throw certificateError(`The ${what} is damaged`, cause)
  }
}
