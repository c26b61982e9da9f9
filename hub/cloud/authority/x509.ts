import { isIP } from 'node:net'
import { CertificateError, fingerprint, generateKeyPair } from '../../../platform/certificates/index.ts'
import { type Authority, createAuthority, parseCsr } from '../../../platform/certificates/issuing/index.ts'
import { type Clock, type Duration, minutes, type Random } from '../../../platform/time/index.ts'
import { NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'
import type { KeyedCertificate, NodeProfile, RequestVerdict } from './cloud-authority.ts'
import { serialInLine } from './node-certificate.ts'

const days = (count: number): Duration => minutes(count * 24 * 60)

/** KubeEdge's own CA lives 100 years: replacing it means to visit each gateway. */
const CA_VALIDITY = days(100 * 364)
const SERVING_VALIDITY = days(3650)

export async function createCa(clock: Clock): Promise<KeyedCertificate> {
  const authority = await createAuthority({ commonName: 'KubeEdge', validity: CA_VALIDITY, clock })
  return { certificate: authority.certificateDer, key: authority.privateKeyDer }
}

export async function issueServing(
  authority: Authority,
  names: readonly string[],
  clock: Clock,
): Promise<KeyedCertificate> {
  const keyPair = await generateKeyPair()
  const now = clock.now()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName: 'KubeEdge', organizations: ['KubeEdge'] },
    usages: ['serverAuth'],
    ipAddresses: names.filter((name) => isIP(name) !== 0),
    dnsNames: names.filter((name) => isIP(name) === 0),
    notBefore: new Date(now),
    notAfter: new Date(now + SERVING_VALIDITY.milliseconds),
  })
  return { certificate, key: keyPair.privateKeyDer }
}

/** A node may ask for its own name only. Alternative names of the request are not taken over; one of another node is refused. */
export async function inspectNodeRequest(csr: Uint8Array, node: string): Promise<RequestVerdict> {
  try {
    const { subject, publicKeyDer, dnsNames } = await parseCsr(csr)
    if (subject.commonName !== nodeCommonName(node)) {
      return { ok: false, reason: `the common name of the request has to be ${nodeCommonName(node)}` }
    }
    const [organization, ...others] = subject.organizations
    if (organization !== NODE_ORGANIZATION || others.length > 0) {
      return { ok: false, reason: `the organization of the request has to be ${NODE_ORGANIZATION}` }
    }
    if (dnsNames.some((name) => name !== node && name !== nodeCommonName(node))) {
      return { ok: false, reason: `the request may name ${node} and nobody else` }
    }
    return { ok: true, keyFingerprint: fingerprint(publicKeyDer) }
  } catch (error) {
    if (error instanceof CertificateError) return { ok: false, reason: 'the body is not a sound certificate request' }
    throw error
  }
}

export async function signNodeRequest(
  authority: Authority,
  csr: Uint8Array,
  { node, usages, line, issued, expires }: NodeProfile,
  random: Random,
): Promise<Uint8Array> {
  return authority.issue({
    csr,
    subject: { commonName: nodeCommonName(node), organizations: [NODE_ORGANIZATION] },
    usages: usages.map((usage) => (usage === 1 ? 'serverAuth' : 'clientAuth')),
    notBefore: new Date(issued),
    notAfter: new Date(expires),
    serialNumber: serialInLine(line, random),
  })
}
