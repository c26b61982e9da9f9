import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CertificateError, generateKeyPair, parseCertificate, pemOf } from '../../../platform/certificates/index.ts'
import { type Authority, loadAuthority } from '../../../platform/certificates/issuing/index.ts'
import { ensureDirectory, readFileIfPresent, removeFile, writeFileAtomic } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import type { Clock, Duration } from '../../../platform/time/index.ts'
import type { Identity } from '../../serving/access/stored-identity.ts'

/** Somebody who got a certificate here that has not ended. */
export interface IssuedPerson {
  readonly name: string
  readonly groups: readonly string[]
  /** Unix ms. */
  readonly expires: number
  /** Hex. */
  readonly serial: string
}

export interface PersonRequest {
  readonly name: string
  readonly groups: readonly string[]
  readonly ttl: Duration
}

export interface IssuedIdentity extends Identity, IssuedPerson {
  /** PEM of the authority. */
  readonly ca: string
}

/**
 * A client certificate of the embedded API's authority for a person, with a key that is kept nowhere. The API need not run: it
 * believes its authority. Throws a ConfigError where the data directory has none.
 */
export async function issuePerson(directory: string, request: PersonRequest, clock: Clock): Promise<IssuedIdentity> {
  const authority = await openAuthority(directory)
  const { name, groups, ttl } = request
  const keyPair = await generateKeyPair()
  const now = clock.now()
  const der = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject: { commonName: name, organizations: groups },
    usages: ['clientAuth'],
    notBefore: new Date(now),
    notAfter: new Date(now + ttl.milliseconds),
  })
  const certificate = pemOf(der, 'CERTIFICATE')
  const person = personOf(certificate)
  await forgetEnded(directory, now)
  await ensureDirectory(folderOf(directory), 0o700)
  // Without its key: for the list of who has got one.
  await writeFileAtomic(join(folderOf(directory), `${person.serial}.crt`), certificate, 0o600)
  return { ...person, certificate, privateKey: keyPair.privateKeyPem, ca: authority.certificatePem }
}

/** In order of their names, those of one name in order of their end. */
export async function issuedPeople(directory: string, clock: Clock): Promise<readonly IssuedPerson[]> {
  const all = await recorded(directory)
  return all
    .filter(({ expires }) => expires > clock.now())
    .sort((a, b) => a.name.localeCompare(b.name) || a.expires - b.expires)
}

async function forgetEnded(directory: string, now: number): Promise<void> {
  for (const { serial, expires } of await recorded(directory)) {
    if (expires <= now) await removeFile(join(folderOf(directory), `${serial}.crt`))
  }
}

async function recorded(directory: string): Promise<readonly IssuedPerson[]> {
  await ensureDirectory(folderOf(directory), 0o700)
  const files = (await readdir(folderOf(directory))).filter((file) => file.endsWith('.crt'))
  const people = await Promise.all(
    files.map(async (file) => tryPerson((await readFileIfPresent(join(folderOf(directory), file))) ?? '')),
  )
  return people.filter((each) => each !== undefined)
}

/** A damaged record is none. */
function tryPerson(certificate: string): IssuedPerson | undefined {
  try {
    return personOf(certificate)
  } catch (error) {
    if (error instanceof CertificateError) return undefined
    throw error
  }
}

function personOf(certificate: string): IssuedPerson {
  const { subject, notAfter, serialNumber } = parseCertificate(certificate)
  const { commonName: name = '', organizations = [] } = subject
  return { name, groups: organizations, expires: notAfter.getTime(), serial: serialNumber }
}

async function openAuthority(directory: string): Promise<Authority> {
  const folder = join(directory, 'pki', 'kubernetes')
  const certificate = await readFileIfPresent(join(folder, 'ca.crt'))
  const privateKey = await readFileIfPresent(join(folder, 'ca.key'))
  if (certificate === undefined || privateKey === undefined) {
    throw new ConfigError(
      `${directory} is no data directory of a cloud half with the embedded Kubernetes API (it has no ${join('pki', 'kubernetes', 'ca.key')}): name that with --data; on a cluster of your own give people what it has for that, such as a CertificateSigningRequest or kubectl create token`,
      { code: 'HUB_API_NO_AUTHORITY' },
    )
  }
  return loadAuthority({ certificate, privateKey })
}

function folderOf(directory: string): string {
  return join(directory, 'pki', 'kubernetes', 'people')
}
