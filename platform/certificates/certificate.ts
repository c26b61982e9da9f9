import { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { asDer, fingerprint } from './encoding.ts'
import { certificateError } from './errors.ts'
import { type AlternativeNames, type Subject, USAGE_IDS, type Usage } from './names.ts'

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
    subject: subjectOf(certificate.subject),
    issuer: subjectOf(certificate.issuer),
    ...alternativeNamesOf(certificate.subjectAltName),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    fingerprint: fingerprint(der),
    serialNumber: certificate.serialNumber.toLowerCase(),
    usages: usagesOf(certificate.keyUsage ?? []),
    publicKeyDer: new Uint8Array(certificate.publicKey.export({ format: 'der', type: 'spki' })),
  }
}

function readCertificate(der: Uint8Array<ArrayBuffer>): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw certificateError('This is not a certificate', error)
  }
}

/** From Node.js's form of a name: one `KEY=value` a line, escaped as in RFC 2253. */
function subjectOf(name: string | undefined): Required<Subject> {
  const values = (key: string) =>
    (name ?? '')
      .split('\n')
      .flatMap((line) => (line.startsWith(`${key}=`) ? [unescapeName(line.slice(key.length + 1))] : []))
  return { commonName: values('CN').at(-1) ?? '', organizations: values('O') }
}

/** `\2C` and `\,` both stand for a comma; bytes together make UTF-8. */
function unescapeName(text: string): string {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const hex = /^\\([0-9A-Fa-f]{2})/.exec(text.slice(at, at + 3))
    if (hex) {
      bytes.push(Number.parseInt(hex[1] ?? '', 16))
      at += 2
    } else {
      if (text[at] === '\\') at++
      bytes.push(...Buffer.from(text[at] ?? ''))
    }
  }
  return Buffer.from(bytes).toString('utf8')
}

/** From Node.js's form of the extension: `DNS:a, IP Address:::1`; a name with special characters is quoted as in JSON. */
function alternativeNamesOf(text: string | undefined): AlternativeNames {
  const items = (text ?? '').match(/[^,"]*(?:"(?:[^"\\]|\\.)*")?[^,"]*/g) ?? []
  const valuesOf = (prefix: string) =>
    items
      .map((item) => item.trim())
      .flatMap((item) => (item.startsWith(prefix) ? [unquote(item.slice(prefix.length))] : []))
  return { dnsNames: valuesOf('DNS:'), ipAddresses: valuesOf('IP Address:').map(shortened) }
}

/** IPv6 as people write it, `::1`; Node.js writes all eight groups. */
function shortened(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}

function unquote(text: string): string {
  const value: unknown = text.startsWith('"') ? JSON.parse(text) : text
  return String(value)
}

function usagesOf(ids: readonly string[]): readonly Usage[] {
  const known: readonly Usage[] = ['serverAuth', 'clientAuth']
  return known.filter((usage) => ids.includes(USAGE_IDS[usage]))
}
