import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { isRecord } from '../kubernetes/guards.ts'
import type { Kubernetes } from '../kubernetes/index.ts'
import { SecretTable } from './secret-table.ts'
import type { TokenClaims } from './tokens.ts'

/** What was handed out, used and taken back. */
export const TOKENS_SECRET = 'skerry-join-tokens'

/** A token as the operator sees it; the token itself is kept nowhere. */
export interface TokenRecord {
  readonly id: string
  readonly node?: string
  /** Unix ms. */
  readonly made?: number
  readonly expires: number
  readonly isRevoked: boolean
  /** Certificates given for it. */
  readonly joins: number
}

interface Entry {
  readonly node?: string
  readonly made?: number
  /** Unix seconds. */
  readonly expires: number
  readonly revoked?: boolean
  readonly joins?: number
  /** Fingerprint of the one key that a token of one node was used for. */
  readonly key?: string
}

export type Redemption = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** So many fit into a Secret (1 MiB) with room to spare. */
const MOST_TOKENS = 2000
const REVOKED = 'the token was revoked: create a new one'
const USED = 'the token was used already: create a new one'

/** Remembers tokens until they expire, durably and across replicas. A token that it does not know is judged by its signature alone. */
export class TokenLedger {
  readonly #table: SecretTable<Entry>
  readonly #clock: Clock

  constructor({ kubernetes, clock }: { readonly kubernetes: Kubernetes; readonly clock: Clock }) {
    this.#table = new SecretTable({ kubernetes, name: TOKENS_SECRET, read: readEntry })
    this.#clock = clock
  }

  async record({ id, ...claims }: TokenClaims, signal?: AbortSignal): Promise<void> {
    await this.#table.update((entries) => {
      const edits = this.#expired(entries)
      if (entries.size - Object.keys(edits).length >= MOST_TOKENS) {
        throw new RefusedError(
          'too many join tokens are waiting for their use: revoke some, or wait until they expire',
          {
            code: 'HUB_TOKENS_FULL',
            fields: { most: MOST_TOKENS },
          },
        )
      }
      return { edits: { ...edits, [id]: claims }, result: undefined }
    }, signal)
  }

  /**
   * Marks a token as used by one key. A token of one node is good for that key only, again and again, because the edge may not
   * have got the answer.
   */
  redeem({ id, ...claims }: TokenClaims, keyFingerprint: string, signal?: AbortSignal): Promise<Redemption> {
    return this.#table.update<Redemption>((entries) => {
      const entry: Entry = entries.get(id) ?? claims
      if (entry.revoked) return { edits: {}, result: { ok: false, reason: REVOKED } }
      if (entry.key !== undefined && entry.key !== keyFingerprint) {
        return { edits: {}, result: { ok: false, reason: USED } }
      }
      if (entry.key !== undefined) return { edits: {}, result: { ok: true } }
      const key = claims.node === undefined ? {} : { key: keyFingerprint }
      const used = { ...entry, joins: (entry.joins ?? 0) + 1, ...key }
      return { edits: { ...this.#expired(entries), [id]: used }, result: { ok: true } }
    }, signal)
  }

  async list(signal?: AbortSignal): Promise<readonly TokenRecord[]> {
    const now = this.#clock.now()
    const known = [...(await this.#table.entries(signal))].map(([id, entry]) => recordOf(id, entry))
    return known.filter(({ expires }) => expires > now).sort((a, b) => a.expires - b.expires)
  }

  /** By the whole id or its beginning. Throws RefusedError where there is not exactly one. */
  revoke(id: string, signal?: AbortSignal): Promise<TokenRecord> {
    return this.#table.update((entries) => {
      const [found, ...more] = [...entries].filter(([each]) => id.length >= SHORTEST_PREFIX && each.startsWith(id))
      if (!found || more.length > 0) {
        const what = found ? 'more than one token begins like this: give more of the id' : 'there is no such token'
        throw new RefusedError(`${what} (skerry token list shows them)`, { code: 'HUB_TOKEN_UNKNOWN', fields: { id } })
      }
      const [whole, entry] = found
      const revoked = { ...entry, revoked: true }
      return { edits: { [whole]: revoked }, result: recordOf(whole, revoked) }
    }, signal)
  }

  /** After a change of the key none of them is good for anything. */
  forgetAll(signal?: AbortSignal): Promise<number> {
    return this.#table.update((entries) => {
      const edits = Object.fromEntries([...entries.keys()].map((id) => [id, undefined]))
      return { edits, result: entries.size }
    }, signal)
  }

  #expired(entries: ReadonlyMap<string, Entry>): Record<string, undefined> {
    const now = this.#clock.now() / 1000
    const old = [...entries].filter(([, { expires }]) => expires <= now)
    return Object.fromEntries(old.map(([id]) => [id, undefined]))
  }
}

const SHORTEST_PREFIX = 4

function recordOf(id: string, { node, made, expires, revoked = false, joins = 0 }: Entry): TokenRecord {
  const known = { ...(node === undefined ? {} : { node }), ...(made === undefined ? {} : { made }) }
  return { id, ...known, expires: expires * 1000, isRevoked: revoked, joins }
}

function readEntry(value: unknown): Entry {
  // A damaged entry is that of a token that nobody may use any more.
  if (!isRecord(value) || typeof value['expires'] !== 'number')
    return { expires: Number.MAX_SAFE_INTEGER, revoked: true }
  const { node, made, expires, revoked, joins, key } = value
  return {
    expires,
    ...(typeof node === 'string' ? { node } : {}),
    ...(typeof made === 'number' ? { made } : {}),
    ...(revoked === undefined ? {} : { revoked: revoked !== false }),
    ...(typeof joins === 'number' ? { joins } : {}),
    ...(typeof key === 'string' ? { key } : {}),
  }
}
