import { describeError, RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Row, Store } from '../../../platform/store/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import {
  GROUPS,
  MODULES,
  OPERATIONS,
  type ServiceAccountToken,
  type ServiceAccountTokenRequest,
} from '../../../schemas/index.ts'
import type { CloudRequests } from '../session/cloud-requests.ts'
import { offline } from './remote-queries.ts'
import { givenToken, lastsFor, podOf, tokenKey, tokenRequest } from './token-requests.ts'

export interface TokensPorts {
  readonly cloud: CloudRequests
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

/** As a kubelet: made anew after this part of its lifetime, or this time, whichever is first. */
const FRESH_PART = 0.8
const FRESH_MS = 24 * 3_600_000
/** A refresh that failed is not tried again before. */
const RETRY_MS = 10_000
const MOST_TOKENS = 1000
const MOST_ASKED = 64

interface Held extends ServiceAccountToken {
  readonly pod: string
  /** Monotonic, so that a clock that is set does not make a token old. */
  readonly born: number
  /** ms; the token should be made anew before its end. */
  readonly lifetime: number
  /** Monotonic: after a refresh that failed it is not asked for again before. */
  restUntil: number
}

/** Tokens of service accounts, on disk so that pods start while the cloud is away. Expired ones are never given. */
export class Tokens {
  readonly #ports: TokensPorts
  /** The oldest first. */
  readonly #held = new Map<string, Held>()
  readonly #asking = new Map<string, Promise<Held>>()

  constructor(ports: TokensPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    const { store, clock } = this.#ports
    this.#held.clear()
    const rows = await store.read({ statement: 'meta.tokens', parameters: [] })
    for (const row of [...rows].sort((a, b) => numberIn(a, 'received') - numberIn(b, 'received'))) {
      const age = Math.max(0, clock.now() - numberIn(row, 'received'))
      this.#held.set(String(row['key']), {
        token: String(row['token']),
        expiresAt: numberIn(row, 'expires'),
        pod: String(row['pod']),
        born: clock.monotonic() - age,
        lifetime: numberIn(row, 'lifetime'),
        restUntil: 0,
      })
    }
  }

  async token(request: ServiceAccountTokenRequest): Promise<ServiceAccountToken> {
    const key = tokenKey(request)
    const held = this.#held.get(key)
    const now = this.#ports.clock.monotonic()
    const age = held ? now - held.born : 0
    const isValid = held !== undefined && age < lastsFor(held.token, held.lifetime)
    if (isValid && (age < Math.min(held.lifetime * FRESH_PART, FRESH_MS) || now < held.restUntil)) return given(held)
    try {
      return given(await this.#renewed(key, request))
    } catch (error) {
      if (!held) throw error
      held.restUntil = this.#ports.clock.monotonic() + RETRY_MS
      if (isValid) return given(held)
      throw new UnavailableError('The token of the service account is expired, and the cloud gives no other now', {
        code: 'HUB_TOKEN_EXPIRED',
        fields: { namespace: request.namespace, serviceAccount: request.serviceAccount },
        cause: error,
      })
    }
  }

  /** The pod is gone, and what was bound to it is worth nothing. */
  async forget(pod: string): Promise<void> {
    const keys = [...this.#held].flatMap(([key, held]) => (held.pod === pod ? [key] : []))
    if (keys.length > 0) await this.#remove(keys)
  }

  /** One request for all who ask meanwhile. */
  #renewed(key: string, request: ServiceAccountTokenRequest): Promise<Held> {
    const asking = this.#asking.get(key)
    if (asking) return asking
    if (!this.#ports.cloud.isConnected) return Promise.reject(offline())
    if (this.#asking.size >= MOST_ASKED) {
      return Promise.reject(new UnavailableError('Too many tokens are asked of the cloud', { code: 'HUB_TOKENS_FULL' }))
    }
    const made = this.#ask(key, request).finally(() => this.#asking.delete(key))
    this.#asking.set(key, made)
    return made
  }

  async #ask(key: string, request: ServiceAccountTokenRequest): Promise<Held> {
    const { cloud, clock } = this.#ports
    const { namespace, serviceAccount } = request
    const resource = `${namespace}/serviceaccounttoken/${serviceAccount}`
    const route = { source: MODULES.metaManager, group: GROUPS.meta, operation: OPERATIONS.query, resource }
    const answer = givenToken((await cloud.ask(route, tokenRequest(request))).content)
    if (!answer) {
      throw new RefusedError('The cloud gave no token', { code: 'HUB_TOKEN_REFUSED', fields: { resource } })
    }
    const { token, expiresAt } = answer
    // The API's own span, where it names it: its clock may differ from this one.
    const lifetime = answer.lifetime ?? expiresAt - clock.now()
    const held = { token, expiresAt, pod: podOf(request), born: clock.monotonic(), lifetime, restUntil: 0 }
    this.#held.delete(key)
    this.#held.set(key, held)
    await this.#keep(key, held)
    return held
  }

  async #keep(key: string, { token, expiresAt, pod, lifetime }: Held): Promise<void> {
    const { store, clock, log } = this.#ports
    const parameters = [key, pod, token, Math.trunc(clock.now()), Math.trunc(lifetime), Math.trunc(expiresAt)]
    await store.write([{ statement: 'meta.putToken', parameters }]).catch((error: unknown) => {
      log.warn('A token could not be kept; it is asked for again after a restart', { error: describeError(error) })
    })
    const over = [...this.#held.keys()].slice(0, Math.max(0, this.#held.size - MOST_TOKENS))
    if (over.length > 0) await this.#remove(over)
  }

  async #remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#held.delete(key)
    const calls = keys.map((key) => ({ statement: 'meta.removeToken', parameters: [key] }))
    await this.#ports.store.write(calls).catch((error: unknown) => {
      this.#ports.log.warn('Tokens that are of no use any more could not be removed', { error: describeError(error) })
    })
  }
}

function given({ token, expiresAt }: Held): ServiceAccountToken {
  return { token, expiresAt }
}

function numberIn(row: Row, column: string): number {
  return Number(row[column] ?? 0)
}
