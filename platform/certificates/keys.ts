import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  type KeyObject,
  type webcrypto,
} from 'node:crypto'
import { promisify } from 'node:util'
import { asDer, pemOf } from './encoding.ts'
import { certificateError } from './errors.ts'

/** An ECDSA P-256 key pair when made here; a loaded one may be RSA or of another curve. */
export interface KeyPair {
  /** SEC1, "EC PRIVATE KEY"; PKCS#8 for a key that is not of a curve. */
  readonly privateKeyPem: string
  /** The same in DER. */
  readonly privateKeyDer: Uint8Array
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array
}

type SigningAlgorithm =
  | { readonly name: 'ECDSA'; readonly namedCurve: string; readonly hash: string }
  | { readonly name: 'RSASSA-PKCS1-v1_5'; readonly hash: string }

const CURVES: ReadonlyMap<string, { readonly namedCurve: string; readonly hash: string }> = new Map([
  ['prime256v1', { namedCurve: 'P-256', hash: 'SHA-256' }],
  ['secp384r1', { namedCurve: 'P-384', hash: 'SHA-384' }],
  ['secp521r1', { namedCurve: 'P-521', hash: 'SHA-512' }],
])

export async function generateKeyPair(): Promise<KeyPair> {
  const { privateKey } = await promisify(generate)('ec', { namedCurve: 'P-256' })
  return keyPairOf(privateKey)
}

/** From PEM, or from DER in SEC1 or PKCS#8. */
export function loadKeyPair(source: string | Uint8Array): KeyPair {
  return keyPairOf(privateKeyOf(source))
}

/** A private key for the platform's own crypto. */
export function signingKey(keyPair: KeyPair): {
  readonly key: webcrypto.CryptoKey
  readonly algorithm: SigningAlgorithm
} {
  const key = privateKeyOf(keyPair.privateKeyPem)
  const algorithm = algorithmOf(key)
  return { key: key.toCryptoKey(algorithm, true, ['sign']), algorithm }
}

export function verifyingKey(keyPair: KeyPair): webcrypto.CryptoKey {
  const key = createPublicKey(privateKeyOf(keyPair.privateKeyPem))
  return key.toCryptoKey(algorithmOf(key), true, ['verify'])
}

function privateKeyOf(source: string | Uint8Array): KeyObject {
  try {
    if (typeof source === 'string') return createPrivateKey(source)
    const key = Buffer.from(asDer(source))
    try {
      return createPrivateKey({ key, format: 'der', type: 'sec1' })
    } catch {
      // SEC1 is what KubeEdge keeps in its Secrets; everybody else writes PKCS#8.
      return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    }
  } catch (error) {
    throw certificateError('This is not a private key', error)
  }
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const isEc = privateKey.asymmetricKeyType === 'ec'
  const privateKeyDer = isEc
    ? privateKey.export({ format: 'der', type: 'sec1' })
    : privateKey.export({ format: 'der', type: 'pkcs8' })
  return {
    privateKeyPem: pemOf(privateKeyDer, isEc ? 'EC PRIVATE KEY' : 'PRIVATE KEY'),
    privateKeyDer: new Uint8Array(privateKeyDer),
    publicKeyDer: new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })),
  }
}

function algorithmOf(key: KeyObject): SigningAlgorithm {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const curve = CURVES.get(key.asymmetricKeyDetails?.namedCurve ?? '')
  if (!curve) throw certificateError('Only keys of P-256, P-384, P-521 and RSA can sign')
  return { name: 'ECDSA', ...curve }
}
