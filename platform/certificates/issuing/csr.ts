import { asDer } from '../encoding.ts'
import { certificateError } from '../errors.ts'
import { type KeyPair, signingKey, verifyingKey } from '../keys.ts'
import type { AlternativeNames, Subject } from '../names.ts'
import { alternativeNamesExtension, alternativeNamesOf, nameOf, subjectOf } from './names.ts'
import {
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from './vendor.ts'

export interface CsrRequest extends Partial<AlternativeNames> {
  readonly keyPair: KeyPair
  readonly subject: Subject
}

/** What somebody asks a certificate for, with a key that is proven to be theirs. Names are wishes: check them before signing. */
export interface ParsedCsr extends AlternativeNames {
  readonly subject: Required<Subject>
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

/** A certificate signing request (PKCS#10) in DER. */
export async function createCsr({ keyPair, subject, ...names }: CsrRequest): Promise<Uint8Array> {
  const { key: privateKey, algorithm } = signingKey(keyPair)
  const alternativeNames = alternativeNamesExtension(names)
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys: { privateKey, publicKey: verifyingKey(keyPair) },
    signingAlgorithm: algorithm,
    extensions: alternativeNames ? [alternativeNames] : [],
  })
  return new Uint8Array(request.rawData)
}

/** Verifies the request's own signature. Throws PLATFORM_CERTIFICATE_INVALID. */
export async function parseCsr(der: Uint8Array): Promise<ParsedCsr> {
  const request = readRequest(asDer(der))
  if (!(await isSound(request))) throw certificateError('The signature of the request does not match its key')
  const alternativeNames = request.getExtension(SUBJECT_ALTERNATIVE_NAME)
  return {
    subject: subjectOf(request.subjectName),
    ...alternativeNamesOf(alternativeNames instanceof SubjectAlternativeNameExtension ? alternativeNames : null),
    publicKeyDer: new Uint8Array(request.publicKey.rawData),
  }
}

function readRequest(der: Uint8Array<ArrayBuffer>): Pkcs10CertificateRequest {
  try {
    return new Pkcs10CertificateRequest(der)
  } catch (error) {
    throw certificateError('This is not a certificate signing request', error)
  }
}

async function isSound(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify()
  } catch (error) {
    throw certificateError('The key of the request cannot be used', error)
  }
}
