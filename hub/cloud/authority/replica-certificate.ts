import type { X509Certificate } from 'node:crypto'
import { generateKeyPair, parseCertificate } from '../../../platform/certificates/index.ts'
import type { Authority } from '../../../platform/certificates/issuing/index.ts'
import { type Clock, minutes, type Random } from '../../../platform/time/index.ts'
import type { KeyedCertificate } from './cloud-authority.ts'
import { lineOf, newLine, serialInLine } from './node-certificate.ts'

const SUBJECT = { commonName: 'skerry:cloud-replica', organizations: ['skerry:cloud'] } as const
const VALIDITY = minutes(3650 * 24 * 60)
/** Clocks of two machines are never the same. */
const EARLIER = minutes(60)

/** The key is made here and never leaves this process. */
export async function issueReplica(
  authority: Authority,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<KeyedCertificate> {
  const keyPair = await generateKeyPair()
  const now = clock.now()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: SUBJECT,
    usages: ['serverAuth', 'clientAuth'],
    notBefore: new Date(now - EARLIER.milliseconds),
    notAfter: new Date(now + VALIDITY.milliseconds),
    serialNumber: serialInLine(newLine(random), random),
  })
  return { certificate, key: keyPair.privateKeyDer }
}

/**
 * The name proves it as far as Skerry itself has signed: it signs for nodes in the names of nodes only. KubeEdge's cloudcore, whose CA
 * may have been taken over, signed whatever a holder of its token asked for, but drew serial numbers that are never of our length.
 */
export function isReplicaCertificate(certificate: X509Certificate | undefined, ca: X509Certificate): boolean {
  if (!certificate || certificate.ca || !certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return false
  const { subject, serialNumber, usages } = parseCertificate(new Uint8Array(certificate.raw))
  const { commonName, organizations } = subject
  return (
    commonName === SUBJECT.commonName &&
    organizations.length === 1 &&
    organizations[0] === SUBJECT.organizations[0] &&
    usages.includes('serverAuth') &&
    usages.includes('clientAuth') &&
    lineOf(serialNumber) !== undefined
  )
}
