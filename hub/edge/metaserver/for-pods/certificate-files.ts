import { X509Certificate } from 'node:crypto'
import type { Bus } from '../../../../platform/bus/index.ts'
import { CertificateError, loadKeyPair, parseCertificate } from '../../../../platform/certificates/index.ts'
import type { Random } from '../../../../platform/time/index.ts'
import type { Identity } from '../../../serving/access/stored-identity.ts'

/** Of `pods.crt` and `pods.key`, in the folder of MetaServer. */
export const PAIR = 'pods'

export interface CertificatePorts {
  readonly bus: Bus
  readonly random: Random
  readonly nodeName: string
  readonly folder: string
  readonly dnsNames: readonly string[]
  readonly addresses: readonly string[]
  /** Both. */
  readonly names: readonly string[]
}

/** The two belong together, and the certificate bears all names. */
export function isFit({ certificate, privateKey }: Identity, names: readonly string[]): boolean {
  try {
    const found = parseCertificate(certificate)
    const known = [...found.dnsNames, ...found.ipAddresses]
    const isPair = Buffer.from(loadKeyPair(privateKey).publicKeyDer).equals(found.publicKeyDer)
    return isPair && names.every((name) => known.includes(name))
  } catch (error) {
    if (error instanceof CertificateError) return false
    throw error
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** One of the authorities (PEM, as many as there are) signed it, or a certificate that comes with it. */
export function isIssuedBy({ certificate }: Identity, authorities: string): boolean {
  const roots = certificatesIn(authorities)
  return certificatesIn(certificate).some((each) =>
    roots.some((root) => each.checkIssued(root) && each.verify(root.publicKey)),
  )
}

function certificatesIn(text: string): readonly X509Certificate[] {
  return (text.match(PEM) ?? []).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)]
    } catch {
      // What is no certificate vouches for nothing.
      return []
    }
  })
}
