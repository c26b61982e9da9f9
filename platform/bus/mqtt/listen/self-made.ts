import { isIP } from 'node:net'
import { join } from 'node:path'
import { generateKeyPair, pemOf } from '../../../certificates/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../../../certificates/issuing/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../files/atomic.ts'
import { ConfigError } from '../../../lifecycle/errors.ts'
import type { Clock } from '../../../time/index.ts'
import { caFile, type ServingIdentity } from './identity-files.ts'

const DAY_MS = 86_400_000
const CA_DAYS = 3650
const CERTIFICATE_DAYS = 365

/** A certificate for these names, from an authority in the folder that stays the same as long as it can be read. */
export async function issueServingCertificate(
  folder: string,
  names: readonly string[],
  clock: Clock,
): Promise<ServingIdentity> {
  await ensureDirectory(folder, 0o700)
  const authority = await openAuthority(folder, clock)
  const made = await generateKeyPair()
  const der = await authority.issue({
    publicKey: made.publicKeyDer,
    subject: { commonName: 'skerry mqtt' },
    usages: ['serverAuth'],
    notBefore: new Date(clock.now()),
    notAfter: new Date(clock.now() + CERTIFICATE_DAYS * DAY_MS),
    dnsNames: names.filter((name) => isIP(name) === 0),
    ipAddresses: names.filter((name) => isIP(name) !== 0),
  })
  const cert = pemOf(der, 'CERTIFICATE')
  // Cut off in between, the two do not fit, and both are made anew.
  await writeFileAtomic(join(folder, 'server.key'), made.privateKeyPem, 0o600)
  await writeFileAtomic(join(folder, 'server.crt'), cert, 0o600)
  return { cert, key: made.privateKeyPem }
}

async function openAuthority(folder: string, clock: Clock): Promise<Authority> {
  const files = { certificate: caFile(folder), key: join(folder, 'ca.key') }
  const [certificate, privateKey] = await Promise.all([
    readFileIfPresent(files.certificate),
    readFileIfPresent(files.key),
  ])
  if (certificate !== undefined && privateKey !== undefined) {
    try {
      return loadAuthority({ certificate, privateKey })
    } catch (cause) {
      throw new ConfigError(
        `the certificate authority of MQTT in ${folder} is damaged: put ca.crt and ca.key of a backup there, or remove both and give clients the new ca.crt`,
        { code: 'PLATFORM_MQTT_CA_DAMAGED', fields: { folder }, cause },
      )
    }
  }
  const validity = { milliseconds: CA_DAYS * DAY_MS }
  const made = await createAuthority({ commonName: 'skerry mqtt ca', validity, clock })
  await writeFileAtomic(files.key, made.privateKeyPem, 0o600)
  await writeFileAtomic(files.certificate, made.certificatePem, 0o644)
  return made
}
