import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Clock } from '../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject } from '../../kube/object/index.ts'

const HEADER = encode({ alg: 'ES256', typ: 'JWT' })
/** RFC 7518, 3.4: the two numbers of the signature side by side. */
const ENCODING = 'ieee-p1363' as const

/** Tokens of service accounts, RFC 7519 with ES256, in Kubernetes' form. */
export class AccountTokens {
  readonly #private: KeyObject
  readonly #public: KeyObject
  readonly #clock: Clock

  /** `key`: PEM of an EC key on P-256. */
  constructor(key: string, clock: Clock) {
    this.#private = createPrivateKey(key)
    this.#public = createPublicKey(this.#private)
    this.#clock = clock
  }

  /** A JSON Web Key Set (RFC 7517) with the key by which tokens are known. */
  keySet(): JsonObject {
    const { kty = '', crv = '', x = '', y = '' } = this.#public.export({ format: 'jwk' })
    const kid = createHash('sha256')
      .update(this.#public.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    return { keys: [{ use: 'sig', kty, kid, crv, alg: 'ES256', x, y }] }
  }

  issue(claims: JsonObject): string {
    const text = `${HEADER}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key: this.#private, dsaEncoding: ENCODING })
    return `${text}.${signature.toString('base64url')}`
  }

  /** Claims of a token that this API issued and that has not ended; nothing otherwise. */
  read(token: string): JsonObject | undefined {
    const [header, payload, signature, ...more] = token.split('.')
    if (header !== HEADER || payload === undefined || signature === undefined || more.length > 0) return undefined
    const key = { key: this.#public, dsaEncoding: ENCODING }
    const isOurs = verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
    if (!isOurs) return undefined
    const claims: Json = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (!isJsonObject(claims) || Number(claims['exp']) * 1000 <= this.#clock.now()) return undefined
    return claims
  }
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
