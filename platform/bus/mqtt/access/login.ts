import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Clock, type Duration, ms, seconds } from '../../../time/index.ts'
import type { Users } from './password-file.ts'
import { isPassword } from './password-hash.ts'
import type { PasswordHash } from './password-lines.ts'

/** busy: too many try at a time, it was not looked at. */
export type LoginOutcome = 'right' | 'wrong' | 'busy'

export interface LoginLimits {
  /** Derivations at a time: the thread pool serves files as well. */
  readonly derivations: number
  /** Logins that wait or are held back, altogether and for each address. */
  readonly waiting: number
  readonly waitingOfAddress: number
  /** A wrong login is answered so long after it came, whatever was wrong. */
  readonly holdBack: Duration
}

export const LOGIN_LIMITS: LoginLimits = { derivations: 2, waiting: 64, waitingOfAddress: 16, holdBack: seconds(1) }

/**
 * Checks passwords within bounds: who guesses gets `waitingOfAddress` answers in `holdBack`, and no more of the processor than
 * `derivations`. A password that was right is recognised again at once, so that all clients may come back together.
 */
export class Login {
  readonly #clock: Clock
  readonly #limits: LoginLimits
  readonly #secret = randomBytes(32)
  readonly #known = new Map<string, { readonly hash: PasswordHash; readonly mark: Buffer }>()
  readonly #waiting = new Map<string, number>()
  readonly #queue: (() => void)[] = []
  #total = 0
  #derivations = 0

  constructor(clock: Clock, limits: LoginLimits = LOGIN_LIMITS) {
    this.#clock = clock
    this.#limits = limits
  }

  async check(users: Users, name: string, password: Uint8Array, address: string): Promise<LoginOutcome> {
    const hash = users.get(name)
    const mark = createHmac('sha256', this.#secret).update(`${name}\n`).update(password).digest()
    const known = this.#known.get(name)
    if (hash && known?.hash === hash && timingSafeEqual(known.mark, mark)) return 'right'
    if (!this.#enter(address)) return 'busy'
    try {
      const startedMs = this.#clock.monotonic()
      const isRight = await this.#derive(password, hash ?? NOBODY)
      if (isRight && hash) {
        this.#known.set(name, { hash, mark })
        this.#forgetOthers(users)
        return 'right'
      }
      const left = startedMs + this.#limits.holdBack.milliseconds - this.#clock.monotonic()
      if (left > 0) await this.#clock.sleep(ms(left))
      return 'wrong'
    } finally {
      this.#leave(address)
    }
  }

  #enter(address: string): boolean {
    const own = this.#waiting.get(address) ?? 0
    if (own >= this.#limits.waitingOfAddress || this.#total >= this.#limits.waiting) return false
    this.#waiting.set(address, own + 1)
    this.#total++
    return true
  }

  #leave(address: string): void {
    const own = this.#waiting.get(address) ?? 1
    if (own > 1) this.#waiting.set(address, own - 1)
    else this.#waiting.delete(address)
    this.#total--
  }

  async #derive(password: Uint8Array, hash: PasswordHash): Promise<boolean> {
    if (this.#derivations >= this.#limits.derivations) await new Promise<void>((resolve) => this.#queue.push(resolve))
    else this.#derivations++
    try {
      return await isPassword(password, hash)
    } finally {
      // The place goes from hand to hand.
      const next = this.#queue.shift()
      if (next) next()
      else this.#derivations--
    }
  }

  /** As many are remembered as there are users. */
  #forgetOthers(users: Users): void {
    if (this.#known.size <= users.size) return
    for (const [name, { hash }] of this.#known) if (users.get(name) !== hash) this.#known.delete(name)
  }
}

/** Whoever is not there takes as long as somebody who is. */
const NOBODY: PasswordHash = { kind: 'pbkdf2', iterations: 100_000, salt: randomBytes(12), hash: randomBytes(64) }
