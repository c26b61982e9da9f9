import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  CertificateError,
  generateKeyPair,
  loadKeyPair,
  parseCertificate,
  pemOf,
  type Subject,
  type Usage,
} from '../../../platform/certificates/index.ts'
import type { Authority } from '../../../platform/certificates/issuing/index.ts'
import { readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import { type Clock, minutes } from '../../../platform/time/index.ts'

/** A certificate with its key, both PEM. */
export interface Identity {
  readonly certificate: string
  readonly privateKey: string
}

/** What a certificate is for. */
export interface Profile {
  readonly subject: Subject
  readonly usages: readonly Usage[]
  readonly names: readonly string[]
}

export interface OpenIdentityOptions {
  readonly authority: Authority
  readonly profile: Profile
  readonly clock: Clock
  readonly onMade?: () => void
}

const DAY = 24 * 60
const LEAF_LIFE = minutes(365 * DAY)
/** A certificate that ends sooner is made anew at the next start. */
const RENEW_BEFORE = minutes(60 * DAY)

/** The identity that stands in the folder; made anew where it ends soon or does not fit, and `onMade` is told. */
export async function openIdentity(
  folder: string,
  name: string,
  { authority, profile, clock, onMade }: OpenIdentityOptions,
): Promise<Identity> {
  const stored = await readPair(folder, name)
  if (stored && isFit(stored, authority, profile, clock)) return stored
  const keyPair = await generateKeyPair()
  const notBefore = new Date(clock.now())
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: profile.subject,
    usages: profile.usages,
    dnsNames: profile.names.filter((each) => isIP(each) === 0),
    ipAddresses: profile.names.filter((each) => isIP(each) !== 0),
    notBefore,
    notAfter: new Date(notBefore.getTime() + LEAF_LIFE.milliseconds),
  })
  const identity = { certificate: pemOf(certificate, 'CERTIFICATE'), privateKey: keyPair.privateKeyPem }
  await writePair(folder, name, identity)
  onMade?.()
  return identity
}

function isFit(stored: Identity, authority: Authority, { subject, names }: Profile, clock: Clock): boolean {
  try {
    const found = parseCertificate(stored.certificate)
    const known = [...found.dnsNames, ...found.ipAddresses]
    return (
      isIssuedBy(stored.certificate, authority) &&
      found.subject.commonName === subject.commonName &&
      isSameGroups(found.subject.organizations, subject.organizations) &&
      Buffer.from(loadKeyPair(stored.privateKey).publicKeyDer).equals(found.publicKeyDer) &&
      found.notAfter.getTime() > clock.now() + RENEW_BEFORE.milliseconds &&
      names.every((name) => known.includes(name))
    )
  } catch (error) {
    if (error instanceof CertificateError) return false
    throw error
  }
}

/** A certificate that names more than it should is no longer shown. */
function isSameGroups(found: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return found.length === wanted.length && wanted.every((each) => found.includes(each))
}

/** By signature: an authority that was made anew bears the same name. */
function isIssuedBy(certificate: string, authority: Authority): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(authority.certificatePem).publicKey)
}

/** Undefined when one of the two is missing: a start that was cut off makes both again. */
export async function readPair(folder: string, name: string): Promise<Identity | undefined> {
  const certificate = await readFileIfPresent(join(folder, `${name}.crt`))
  const privateKey = await readFileIfPresent(join(folder, `${name}.key`))
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey }
}

export async function writePair(folder: string, name: string, { certificate, privateKey }: Identity): Promise<void> {
  // The key first: a certificate without its key is what readPair takes for nothing.
  await writeFileAtomic(join(folder, `${name}.key`), privateKey, 0o600)
  await writeFileAtomic(join(folder, `${name}.crt`), certificate, 0o600)
}
