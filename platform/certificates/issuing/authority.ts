import type { Clock } from '../../time/clock.ts'
import { type Duration, minutes } from '../../time/duration.ts'
import { asDer, pemOf } from '../encoding.ts'
import { certificateError } from '../errors.ts'
import { generateKeyPair, type KeyPair, loadKeyPair, signingKey, verifyingKey } from '../keys.ts'
import type { AlternativeNames, Subject, Usage } from '../names.ts'
import { parseCsr } from './csr.ts'
import { alternativeNamesExtension, nameOf, usageIds } from './names.ts'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './vendor.ts'

/** A certificate is valid so much before it was asked for: clocks of gateways lag. */
export const CLOCK_SKEW = minutes(5)

/** Whose key is certified: SubjectPublicKeyInfo in DER, or a request (DER), of which only the key is taken. */
export type CertifiedKey = { readonly publicKey: Uint8Array } | { readonly csr: Uint8Array }

export type CertificateRequest = CertifiedKey & CertificateProfile

export interface CertificateProfile extends Partial<AlternativeNames> {
  readonly subject: Subject
  readonly usages: readonly Usage[]
  /** The certificate is valid from CLOCK_SKEW before it. */
  readonly notBefore: Date
  /** Cut to the authority's own end. */
  readonly notAfter: Date
  /** Hex; drawn by chance where it is absent. */
  readonly serialNumber?: string
}

/** A certificate authority in memory; its owner keeps the two DER forms. */
export interface Authority {
  readonly certificatePem: string
  readonly certificateDer: Uint8Array
  /** SEC1 for a key of a curve, else PKCS#8. */
  readonly privateKeyPem: string
  readonly privateKeyDer: Uint8Array
  /** Signs; the result is DER. Throws PLATFORM_CERTIFICATE_INVALID when the request is not good. */
  issue(request: CertificateRequest): Promise<Uint8Array>
}

/** A new self-signed authority with an ECDSA P-256 key, which may certify servers and clients. */
export async function createAuthority(options: {
  readonly commonName: string
  readonly validity: Duration
  readonly clock: Clock
}): Promise<Authority> {
  const keyPair = await generateKeyPair()
  const { key, algorithm } = signingKey(keyPair)
  const publicKey = verifyingKey(keyPair)
  const now = options.clock.now()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: nameOf({ commonName: options.commonName }),
    keys: { privateKey: key, publicKey },
    signingAlgorithm: algorithm,
    notBefore: new Date(now - CLOCK_SKEW.milliseconds),
    notAfter: new Date(now + options.validity.milliseconds),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension(usageIds(['serverAuth', 'clientAuth'])),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return authorityOf(new Uint8Array(certificate.rawData), keyPair)
}

/** From PEM or DER (the key in SEC1 or PKCS#8). Throws PLATFORM_CERTIFICATE_INVALID when the two do not belong together. */
export function loadAuthority(stored: {
  readonly certificate: string | Uint8Array
  readonly privateKey: string | Uint8Array
}): Authority {
  return authorityOf(asDer(stored.certificate), loadKeyPair(stored.privateKey))
}

function authorityOf(certificateDer: Uint8Array<ArrayBuffer>, keyPair: KeyPair): Authority {
  const certificate = readCertificate(certificateDer)
  if (Buffer.compare(Buffer.from(certificate.publicKey.rawData), keyPair.publicKeyDer) !== 0) {
    throw certificateError('The private key is not that of the authority’s certificate')
  }
  const { key: signer, algorithm } = signingKey(keyPair)

  return {
    certificatePem: pemOf(certificateDer, 'CERTIFICATE'),
    certificateDer,
    privateKeyPem: keyPair.privateKeyPem,
    privateKeyDer: keyPair.privateKeyDer,
    async issue(request) {
      const publicKey = await publicKeyOf(request)
      const issued = await X509CertificateGenerator.create({
        ...(request.serialNumber === undefined ? {} : { serialNumber: request.serialNumber }),
        subject: nameOf(request.subject),
        // As it is written there: a chain is built by comparing the bytes of the two names.
        issuer: certificate.subjectName,
        publicKey,
        signingKey: signer,
        signingAlgorithm: algorithm,
        notBefore: new Date(request.notBefore.getTime() - CLOCK_SKEW.milliseconds),
        notAfter: new Date(Math.min(request.notAfter.getTime(), certificate.notAfter.getTime())),
        extensions: [
          ...leafExtensions(request),
          await SubjectKeyIdentifierExtension.create(publicKey),
          await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        ],
      })
      return new Uint8Array(issued.rawData)
    },
  }
}

async function publicKeyOf(key: CertifiedKey): Promise<PublicKey> {
  const der = 'csr' in key ? (await parseCsr(key.csr)).publicKeyDer : key.publicKey
  try {
    return new PublicKey(asDer(der))
  } catch (error) {
    throw certificateError('This is not a public key', error)
  }
}

function leafExtensions(request: CertificateProfile): readonly Extension[] {
  const alternativeNames = alternativeNamesExtension(request)
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension(usageIds(request.usages)),
    ...(alternativeNames ? [alternativeNames] : []),
  ]
}

function readCertificate(der: Uint8Array<ArrayBuffer>): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw certificateError('This is not a certificate', error)
  }
}
