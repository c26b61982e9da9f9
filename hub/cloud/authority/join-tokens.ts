import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, minutes, type Random } from '../../../platform/time/index.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import { TokenKey } from './token-key.ts'
import { type Redemption, TokenLedger, type TokenRecord } from './token-ledger.ts'
import { mintToken, type TokenClaims, type TokenVerdict, verifyToken } from './tokens.ts'

export interface JoinTokenRequest {
  /** The only node that may join with it, once; absent: any node until it expires. */
  readonly node?: string
  /** Default 24 h, at most 365 days. */
  readonly ttl?: Duration
}

export interface JoinTokenPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
}

export interface TokenHints {
  /** HOST:PORT of the certificate endpoint. */
  readonly address?: string
  /** HOST:PORT of CloudHub. */
  readonly server?: string
}

const DEFAULT_TTL = minutes(24 * 60)
/** A token lies about on paper and in scripts; one that is forgotten must not open the door for ever. */
const LONGEST_TTL = minutes(365 * 24 * 60)

/** Join tokens of this cloud: made, checked, used up, listed and taken back. */
export class JoinTokens {
  readonly #ports: JoinTokenPorts
  readonly #caHash: string
  readonly #hints: () => TokenHints
  readonly #key: TokenKey
  readonly #ledger: TokenLedger
  readonly #rotated = new Set<() => void>()

  /** `hints` is asked when a token is made, because ports may be free ones. */
  constructor(ports: JoinTokenPorts, caHash: string, hints: () => TokenHints) {
    this.#ports = ports
    this.#caHash = caHash
    this.#hints = hints
    this.#key = new TokenKey(ports)
    this.#ledger = new TokenLedger(ports)
  }

  /** Makes sure that there is a key. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#key.current(signal)
  }

  /** Throws ConfigError for a lifetime that is too long. */
  async create({ node, ttl = DEFAULT_TTL }: JoinTokenRequest, signal?: AbortSignal): Promise<string> {
    if (ttl.milliseconds > LONGEST_TTL.milliseconds) {
      throw new ConfigError('a join token is good for 365 days at the most: ask for a shorter lifetime', {
        code: 'HUB_TOKEN_TTL',
      })
    }
    const request = { ttl, ...(node === undefined ? {} : { node }), ...this.#hints() }
    const { text, claims } = await mintToken(await this.#key.current(signal), this.#caHash, request, this.#ports)
    await this.#ledger.record(claims, signal)
    return text
  }

  /** By signature and expiry; whether it was used or revoked shows when it is redeemed. */
  async verify(bearer: string, signal?: AbortSignal): Promise<TokenVerdict> {
    return verifyToken(await this.#key.current(signal), bearer, this.#ports.clock)
  }

  redeem(claims: TokenClaims, keyFingerprint: string, signal?: AbortSignal): Promise<Redemption> {
    return this.#ledger.redeem(claims, keyFingerprint, signal)
  }

  list(signal?: AbortSignal): Promise<readonly TokenRecord[]> {
    return this.#ledger.list(signal)
  }

  revoke(id: string, signal?: AbortSignal): Promise<TokenRecord> {
    return this.#ledger.revoke(id, signal)
  }

  /** A new key; every token made until now is worth nothing. Answers how many of them were still good. */
  async rotate(signal?: AbortSignal): Promise<number> {
    await this.#key.rotate(signal)
    const alive = (await this.#ledger.list(signal)).filter(({ isRevoked }) => !isRevoked).length
    await this.#ledger.forgetAll(signal)
    for (const handler of this.#rotated) handler()
    return alive
  }

  onRotated(handler: () => void): Disposable {
    this.#rotated.add(handler)
    return { [Symbol.dispose]: () => void this.#rotated.delete(handler) }
  }
}
