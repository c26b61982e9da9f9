import type { X509Certificate } from 'node:crypto'
import { parseCertificate } from '../../../platform/certificates/index.ts'
import type { Random } from '../../../platform/time/index.ts'
import { isNodeName, NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'

/** What a node's certificate says, once its signature is verified. */
export interface NodeCertificate {
  readonly node: string
  /** Lower-case hex. */
  readonly serial: string
  /** Unix ms. */
  readonly expires: number
}

/**
 * Reads the certificate that a peer has proved to own the key of: signed by this CA itself, for a client, in the name of a node.
 * Nothing for any other. Dates are left to the caller.
 */
export function readNodeCertificate(
  certificate: X509Certificate | undefined,
  ca: X509Certificate,
): NodeCertificate | undefined {
  if (!certificate || certificate.ca || !certificate.checkIssued(ca) || !certificate.verify(ca.publicKey))
    return undefined
  const { subject, serialNumber, notAfter, usages } = parseCertificate(new Uint8Array(certificate.raw))
  if (!usages.includes('clientAuth')) return undefined
  const prefix = nodeCommonName('')
  const { commonName, organizations } = subject
  if (organizations[0] !== NODE_ORGANIZATION || !commonName.startsWith(prefix)) return undefined
  const node = commonName.slice(prefix.length)
  // KubeEdge's cloudcore signed whatever a holder of its token asked for.
  if (!isNodeName(node)) return undefined
  return { node, serial: serialNumber, expires: notAfter.getTime() }
}

/**
 * Certificates that come from one join: a renewal stays in the line of the certificate that asked for it. Which line is
 * admitted needs no clocks, and a renewal under way while the node is revoked yields nothing of worth.
 */
export type CertificateLine = string

const LINE_DIGITS = 16
const SERIAL_DIGITS = 32

export function newLine(random: Random): CertificateLine {
  const bytes = random.bytes(LINE_DIGITS / 2)
  // Serial numbers are positive and keep their length (RFC 5280 4.1.2.2).
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

export function serialInLine(line: CertificateLine, random: Random): string {
  return line + Buffer.from(random.bytes((SERIAL_DIGITS - LINE_DIGITS) / 2)).toString('hex')
}

/** Nothing for a serial number that another authority has drawn, such as cloudcore before its CA was taken over. */
export function lineOf(serial: string): CertificateLine | undefined {
  return serial.length === SERIAL_DIGITS && /^[4-7]/.test(serial) ? serial.slice(0, LINE_DIGITS) : undefined
}
