import { asDer, fingerprint } from './encoding.ts'
import { certificateError } from './errors.ts'
import { type AlternativeNames, alternativeNamesOf, type Subject, subjectOf, type Usage, usagesOf } from './names.ts'
import { ExtendedKeyUsageExtension, SubjectAlternativeNameExtension, X509Certificate } from './vendor.ts'

/** What is read of a certificate. Nothing of it is verified. */
export interface ParsedCertificate extends AlternativeNames {
  readonly subject: Required<Subject>
  readonly issuer: Required<Subject>
  readonly notBefore: Date
  readonly notAfter: Date
  /** Lower-case hex SHA-256 of the DER. */
  readonly fingerprint: string
  /** Hex. */
  readonly serialNumber: string
  readonly usages: readonly Usage[]
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array
}

/** Throws PLATFORM_CERTIFICATE_INVALID. */
export function parseCertificate(source: string | Uint8Array): ParsedCertificate {
  const der = asDer(source)
  const certificate = readCertificate(der)
  return {
    subject: subjectOf(certificate.subjectName),
    issuer: subjectOf(certificate.issuerName),
    ...alternativeNamesOf(certificate.getExtension(SubjectAlternativeNameExtension)),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    fingerprint: fingerprint(der),
    serialNumber: certificate.serialNumber,
    usages: usagesOf(certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? []),
    publicKeyDer: new Uint8Array(certificate.publicKey.rawData),
  }
}

export function readCertificate(der: Uint8Array<ArrayBuffer>): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw certificateError('This is not a certificate', error)
  }
}
