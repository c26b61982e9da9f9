import type { X509Certificate } from 'node:crypto'

/** SHA-256, as a device configuration names it. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}
