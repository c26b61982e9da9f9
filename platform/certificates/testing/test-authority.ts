import { systemClock } from '../../time/system-clock.ts'
import { pemOf } from '../encoding.ts'
import { type Authority, createAuthority } from '../issuing/authority.ts'
import { generateKeyPair } from '../keys.ts'
import type { Subject, Usage } from '../names.ts'

export const DAY = 86_400_000

/** An authority that is valid for a day, or for so many. */
export function testAuthority({ commonName = 'Skerry test', days = 1 } = {}): Promise<Authority> {
  return createAuthority({ commonName, validity: { milliseconds: days * DAY }, clock: systemClock })
}

/** Options for node:tls of one end that the authority vouches for; `trusts` is whose peers it accepts. */
export async function testIdentity(
  authority: Authority,
  subject: Subject,
  usages: readonly Usage[],
  trusts = authority,
): Promise<{ readonly key: string; readonly cert: string; readonly ca: string }> {
  const keyPair = await generateKeyPair()
  const certificate = await authority.issue({
    publicKey: keyPair.publicKeyDer,
    subject,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1', '::1'],
    usages,
    notBefore: daysFromNow(0),
    notAfter: daysFromNow(1),
  })
  return { key: keyPair.privateKeyPem, cert: pemOf(certificate, 'CERTIFICATE'), ca: trusts.certificatePem }
}

export function daysFromNow(days: number): Date {
  return new Date(systemClock.now() + days * DAY)
}
