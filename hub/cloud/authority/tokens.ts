import { errors, jwtVerify, SignJWT } from 'jose'
import type { Clock, Duration, Random } from '../../../platform/time/index.ts'

/** What a valid token says. */
export interface TokenClaims {
  readonly id: string
  /** Unix seconds. */
  readonly expires: number
  /** Unix ms: when it was made. */
  readonly made?: number
  /** The only node that may join with it; absent: any. */
  readonly node?: string
}

export type TokenVerdict =
  | { readonly ok: true; readonly claims: TokenClaims }
  /** For the operator at the other end. */
  | { readonly ok: false; readonly reason: string }

export interface TokenRequest {
  readonly node?: string
  readonly ttl: Duration
  /** HOST:PORT of the certificate endpoint, a hint for the edge. */
  readonly address?: string
  /** HOST:PORT of CloudHub, another one. */
  readonly server?: string
}

export interface MintedToken {
  readonly text: string
  readonly claims: TokenClaims
}

const LONGEST_BEARER = 4096

/** `<caHash>.<header>.<payload>.<signature>`: KubeEdge's four parts, the last three an HS256 JWT. */
export async function mintToken(
  key: Uint8Array,
  caHash: string,
  request: TokenRequest,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<MintedToken> {
  const { ttl, node, ...hints } = request
  const made = clock.now()
  const claims = { id: random.uuid(), expires: Math.floor((made + ttl.milliseconds) / 1000), made }
  const jwt = await new SignJWT({ ...hints, ...(node === undefined ? {} : { node }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime(claims.expires)
    // In fractions of a second (RFC 7519 2): what is older than a revocation must not undo it.
    .setIssuedAt(made / 1000)
    .setJti(claims.id)
    .sign(key)
  return { text: `${caHash}.${jwt}`, claims: { ...claims, ...(node === undefined ? {} : { node }) } }
}

/** Checks the three-part JWT that an edge presents (or all four parts). */
export async function verifyToken(key: Uint8Array, bearer: string, clock: Clock): Promise<TokenVerdict> {
  const parts = bearer.trim().split('.')
  if (bearer.length > LONGEST_BEARER || parts.length < 3 || parts.length > 4) return refuse('the token is malformed')
  try {
    const { payload } = await jwtVerify(parts.slice(-3).join('.'), key, {
      algorithms: ['HS256'],
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'jti'],
    })
    const { exp, jti, iat } = payload
    const node = payload['node']
    if (exp === undefined || jti === undefined) return refuse('the token lacks a claim')
    const made = iat === undefined ? {} : { made: Math.round(iat * 1000) }
    return { ok: true, claims: { id: jti, expires: exp, ...made, ...(typeof node === 'string' ? { node } : {}) } }
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refuse('the token has expired: create a new one')
    if (error instanceof errors.JOSEError)
      return refuse('the token is not one of this cloud, or its key was changed since: create a new one')
    throw error
  }
}

function refuse(reason: string): TokenVerdict {
  return { ok: false, reason }
}
