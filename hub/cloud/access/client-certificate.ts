import type { X509Certificate } from 'node:crypto'
import { parseCertificate } from '../../../platform/certificates/index.ts'
import type { User } from './access.ts'

/** As many as a chain has in practice, twice. */
const LONGEST_CHAIN = 8

/**
 * Whom a client certificate is of, as Kubernetes reads it: CN is the name, each O a group. The handshake has judged its chain, its
 * purpose and its key; a connection may live long, so that its dates and whether its authority is still believed are looked at for
 * each request.
 */
export function userOfCertificate(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: number,
): User | undefined {
  if (!isIssuedBy(certificate, authorities, now)) return undefined
  const { subject, fingerprint } = parseCertificate(certificate.raw)
  if (subject.commonName === '') return undefined
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] }
  return { name: subject.commonName, groups: subject.organizations, extra }
}

function isIssuedBy(leaf: X509Certificate, authorities: readonly X509Certificate[], now: number): boolean {
  let certificate: X509Certificate | undefined = leaf
  for (let depth = 0; certificate && depth < LONGEST_CHAIN; depth++) {
    const below: X509Certificate = certificate
    if (!isInItsTime(below, now)) return false
    if (authorities.some((each) => isInItsTime(each, now) && hasSigned(each, below))) return true
    const above: X509Certificate | undefined = below.issuerCertificate
    certificate =
      above?.ca && hasSigned(above, below) && above.fingerprint256 !== below.fingerprint256 ? above : undefined
  }
  return false
}

function isInItsTime(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime()
}

function hasSigned(authority: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}
