import { createHmac } from 'node:crypto'
import { type Clock, type Duration, ms, type Random } from '../../../platform/time/index.ts'
import { isRecord, parseJson } from '../kubernetes/guards.ts'
import { type Kubernetes, TOKEN_REVIEWS } from '../kubernetes/index.ts'
import type { User } from './access.ts'
import { AnswerCache, type CacheBounds } from './answer-cache.ts'

export interface TokenReviewPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
}

/** Longer ones reach no API. */
const LONGEST = 16 * 1024

/** Whose bearer tokens are, by TokenReview. Tokens themselves are not kept: what is remembered goes by a keyed digest. */
export class TokenReviews {
  readonly #ports: TokenReviewPorts
  readonly #bounds: CacheBounds
  readonly #cache: AnswerCache<User | undefined>
  readonly #key: Uint8Array

  constructor(bounds: CacheBounds, ports: TokenReviewPorts) {
    this.#ports = ports
    this.#bounds = bounds
    this.#cache = new AnswerCache({ ...bounds, clock: ports.clock })
    this.#key = ports.random.bytes(32)
  }

  async owner(token: string, signal: AbortSignal): Promise<User | undefined> {
    if (token === '' || token.length > LONGEST) return undefined
    const digest = createHmac('sha256', this.#key).update(token).digest('base64')
    return await this.#cache.ask(digest, (limited) => this.#review(token, limited), signal)
  }

  async #review(token: string, signal: AbortSignal) {
    const { kubernetes, clock } = this.#ports
    const status = await kubernetes.review(TOKEN_REVIEWS, { token }, signal)
    const user = status['authenticated'] === true ? userIn(status['user']) : undefined
    const { good, bad } = this.#bounds
    return { value: user, isGood: user !== undefined, keep: user ? untilItsEnd(token, good, clock.now()) : bad }
  }
}

function userIn(user: unknown): User | undefined {
  if (!isRecord(user) || typeof user['username'] !== 'string' || user['username'] === '') return undefined
  const uid = user['uid']
  const extra = Object.entries(isRecord(user['extra']) ? user['extra'] : {}).map(
    ([key, values]) => [key, textsIn(values)] as const,
  )
  return {
    name: user['username'],
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    groups: textsIn(user['groups']),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  }
}

function textsIn(values: unknown): readonly string[] {
  return Array.isArray(values) ? values.filter((each) => typeof each === 'string') : []
}

/** A token that says of itself when it ends is believed no longer, and the API has found true what it says. */
function untilItsEnd(token: string, most: Duration, now: number): Duration {
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const end = isRecord(claims) ? Number(claims['exp']) : Number.NaN
  return Number.isFinite(end) ? ms(Math.min(most.milliseconds, end * 1000 - now)) : most
}
