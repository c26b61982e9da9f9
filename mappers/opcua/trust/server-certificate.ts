import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import type { DeviceConfig } from '../config.ts'
import type { FirstUses } from './first-uses.ts'
import { fingerprintOf, nameOf, normalFingerprint, type TrustStore } from './trust-store.ts'

export interface ShownCertificate {
  /** DER; the certificate of the server, then those of its issuers, as OPC UA sends them in one. */
  readonly der: Uint8Array
  /** As the server describes itself beside it. */
  readonly applicationUri: string
}

export interface TrustContext {
  readonly store: TrustStore
  readonly firstUses: FirstUses
  /** Unix ms. */
  readonly now: number
  readonly warn: (message: string, fields?: object) => void
}

/** The server may be who it says, or not: nobody has decided. */
export class UntrustedError extends Error {
  override readonly name = 'UntrustedError'
}

const SMALLEST_KEY = 2048

/** Throws unless the certificate may be used for this device; the message says what to do. OPC UA part 4, 6.1.3. */
export async function verifyServer(
  device: DeviceConfig,
  shown: ShownCertificate,
  context: TrustContext,
): Promise<void> {
  const chain = splitChain(shown.der)
  const [leaf] = chain
  if (!leaf) throw new UntrustedError(`the server ${device.url} shows no certificate, so that nothing can be protected`)
  const path = await verifyTrust(device, leaf, chain, context)
  if (device.trust === 'any' && device.fingerprint === undefined) return
  const problem = outdated(device, path, context.now) ?? flaw(device, leaf, shown.applicationUri)
  if (problem !== undefined) throw new UntrustedError(`the certificate ${fingerprintOf(leaf)} of the server ${problem}`)
}

/** Answers the certificates that the trust rests on. */
async function verifyTrust(
  device: DeviceConfig,
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  { store, firstUses, warn }: TrustContext,
): Promise<readonly X509Certificate[]> {
  const fingerprint = fingerprintOf(leaf)
  if (device.fingerprint !== undefined) {
    if (normalFingerprint(device.fingerprint) === fingerprint) return [leaf]
    const file = await store.addRejected(leaf)
    throw new UntrustedError(
      `the server shows the certificate ${fingerprint}, not the one that the device names in fingerprint; it is kept in ${file}`,
    )
  }
  if (device.trust === 'any') {
    warn('The certificate of an OPC UA server is not checked', { url: device.url, fingerprint })
    return [leaf]
  }
  let before = await firstUses.get(device.url)
  const path = await store.pathOf(chain)
  if (path) {
    if (before !== fingerprint) await firstUses.set(device.url, fingerprint)
    return path
  }
  const isNew = before === undefined
  if (device.trust === 'first-use' && isNew) before = await firstUses.claim(device.url, fingerprint)
  if (device.trust === 'first-use' && isNew && before === fingerprint) {
    const file = await store.addTrusted(leaf)
    warn('An OPC UA server is trusted because it is seen for the first time', { url: device.url, fingerprint, file })
    return [leaf]
  }
  const file = await store.addRejected(leaf)
  const shown = `${nameOf(leaf.subject)}, SHA-256 ${fingerprint}`
  const what =
    before === undefined || before === fingerprint
      ? `the certificate of the server is not trusted${before === undefined ? ' yet' : ' any more'}: ${shown}`
      : `the server shows another certificate than before: ${shown} instead of ${before}`
  throw new UntrustedError(
    `${what}, kept in ${file}. If it is the right one, run on ${hostname()}: skerry opcua trust ${fingerprint} (or move the file into the folder trusted beside that one)`,
  )
}

/** Why one of the certificates on the way to trust is not valid now, or nothing. */
function outdated(device: DeviceConfig, path: readonly X509Certificate[], now: number): string | undefined {
  if (device.acceptExpired) return undefined
  for (const [at, { subject, validTo, validToDate, validFrom, validFromDate }] of path.entries()) {
    const whose = at === 0 ? '' : `rests on that of ${nameOf(subject)}, which `
    if (now > validToDate.getTime()) return `${whose}has expired on ${validTo}; renew it, or set acceptExpired: true`
    if (now < validFromDate.getTime()) {
      return `${whose}is valid from ${validFrom} on only; check the clocks, or set acceptExpired: true`
    }
  }
  return undefined
}

/** What is wrong with a certificate although it is trusted, or nothing. */
function flaw(device: DeviceConfig, leaf: X509Certificate, applicationUri: string): string | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey
  if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < SMALLEST_KEY) {
    return `has no RSA key of at least ${SMALLEST_KEY} bits; give the server another certificate`
  }
  const names = alternativeNames(leaf)
  if (!names.uris.includes(applicationUri)) {
    return `is made for ${names.uris.join(', ') || 'no application'}, but the server calls itself ${applicationUri}; give the server a certificate with its own application URI`
  }
  if (device.checkHost) {
    const host = new URL(device.url.replace(/^opc\.tcp:/, 'http:')).hostname.replace(/^\[|\]$/g, '')
    const known = leaf.checkIP(host) !== undefined || leaf.checkHost(host, { subject: 'never' }) !== undefined
    if (!known) {
      return `names ${names.hosts.join(', ') || 'no host'}, not ${host}; use one of these names in url, or set checkHost: false`
    }
  }
  return undefined
}

function alternativeNames(certificate: X509Certificate) {
  const entries = (certificate.subjectAltName ?? '').split(', ')
  const of = (...kinds: readonly string[]) =>
    entries.flatMap((entry) => kinds.filter((kind) => entry.startsWith(kind)).map((kind) => entry.slice(kind.length)))
  return { uris: of('URI:'), hosts: of('DNS:', 'IP Address:') }
}

/** A chain of certificates is one DER after the other. */
function splitChain(der: Uint8Array): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let rest = der
  while (rest.length > 0 && chain.length < 10) {
    const length = lengthOf(rest)
    if (length === undefined) break
    chain.push(new X509Certificate(rest.subarray(0, length)))
    rest = rest.subarray(length)
  }
  return chain
}

/** Of one DER sequence with its header; undefined when it is none, or cut short. */
function lengthOf(der: Uint8Array): number | undefined {
  const [tag, first] = der
  if (tag !== 0x30 || first === undefined) return undefined
  const digits = first < 0x80 ? 0 : first & 0x7f
  if (digits > 3) return undefined
  let length = digits === 0 ? first : 0
  for (let at = 0; at < digits; at++) length = length * 256 + (der[2 + at] ?? 0)
  const total = 2 + digits + length
  return total <= der.length ? total : undefined
}
