import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { isJsonArray, isJsonObject, textAt } from '../../../kube/object/index.ts'

/** A public key of whoever issues tokens, RFC 7517. */
export interface IssuerKey {
  /** Empty where it has no name. */
  readonly id: string
  /** Empty: any that fits the key. */
  readonly algorithm: string
  readonly key: KeyObject
}

/** A token as it is written, not yet believed. */
interface Parts {
  readonly algorithm: string
  readonly keyId: string
  readonly claims: JsonObject
  readonly signed: Buffer
  readonly signature: Buffer
}

export type ReadToken =
  | { readonly claims: JsonObject }
  /** Signed by a key that is not known here (its name), or nothing that could be a token. */
  | { readonly unknownKey: string }
  | undefined

/** A longer one is no token of a service account. */
const LONGEST = 16 * 1024
/** Algorithms by the type of the key; RFC 7518, 3.1 and RFC 8037. Without `none` and without shared secrets. */
const ALGORITHMS: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  rsa: { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512', PS256: 'sha256', PS384: 'sha384', PS512: 'sha512' },
  ec: { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' },
  ed25519: { EdDSA: null },
}
/** ES256 is of one curve alone, as the others are. */
const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' }

/** The keys of a JSON Web Key Set that can verify signatures. */
export function issuerKeys(set: JsonObject): readonly IssuerKey[] {
  const { keys } = set
  return (isJsonArray(keys) ? keys : []).flatMap((each) => (isJsonObject(each) ? keyOf(each) : []))
}

/** Claims of a token that one of the keys has signed. */
export function readToken(token: string, keys: readonly IssuerKey[]): ReadToken {
  const parts = token.length > LONGEST ? undefined : partsOf(token)
  if (!parts) return undefined
  const fitting = keys.filter(({ id }) => parts.keyId === '' || id === '' || id === parts.keyId)
  if (fitting.some((key) => isSigned(parts, key))) return { claims: parts.claims }
  return fitting.length === 0 ? { unknownKey: parts.keyId } : undefined
}

function keyOf(jwk: JsonObject): readonly IssuerKey[] {
  const use = textAt(jwk, 'use')
  if (use !== '' && use !== 'sig') return []
  try {
    const given: JsonWebKey = Object.fromEntries(Object.entries(jwk).filter(([, value]) => typeof value === 'string'))
    const key = createPublicKey({ key: given, format: 'jwk' })
    return [{ id: textAt(jwk, 'kid'), algorithm: textAt(jwk, 'alg'), key }]
  } catch {
    // A key of a sort that is not understood verifies nothing.
    return []
  }
}

function isSigned({ algorithm, signed, signature }: Parts, { key, algorithm: own }: IssuerKey): boolean {
  if (own !== '' && own !== algorithm) return false
  const known = ALGORITHMS[key.asymmetricKeyType ?? ''] ?? {}
  if (!Object.hasOwn(known, algorithm)) return false
  const curve = CURVES[algorithm]
  if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false
  const padding = algorithm.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
  return verify(known[algorithm], signed, { key, dsaEncoding: 'ieee-p1363', ...padding }, signature)
}

function partsOf(token: string): Parts | undefined {
  const [head = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0 || signature === '') return undefined
  const header = decoded(head)
  const claims = decoded(payload)
  if (!header || !claims || header['crit'] !== undefined) return undefined
  return {
    algorithm: textAt(header, 'alg'),
    keyId: textAt(header, 'kid'),
    claims,
    signed: Buffer.from(`${head}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}

function decoded(part: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
