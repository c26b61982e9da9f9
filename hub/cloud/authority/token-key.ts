import { type Clock, type Random, unlessAborted } from '../../../platform/time/index.ts'
import { type Kubernetes, SECRETS } from '../kubernetes/index.ts'
import { ensureSecret, SYSTEM_NAMESPACE, writeSecret } from './secrets.ts'

const TOKEN_SECRET = 'skerry-token-key'
const TOKEN_KEY_BYTES = 64
const SHORTEST_KEY = 32
/** Another replica may have changed the key; it is read again at most so often, however many tokens are shown. */
const FRESH_MS = 1000

/** The key that signs join tokens. A new one ends every token that the old one signed. */
export class TokenKey {
  readonly #kubernetes: Kubernetes
  readonly #clock: Clock
  readonly #random: Random
  #key = new Uint8Array()
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  /** Of this process: what was read before the last one counts for nothing. */
  #rotations = 0

  constructor({ kubernetes, clock, random }: { kubernetes: Kubernetes; clock: Clock; random: Random }) {
    this.#kubernetes = kubernetes
    this.#clock = clock
    this.#random = random
  }

  /** `signal` ends the wait, not the read, for which others wait too. */
  async current(signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#clock.monotonic() - this.#readAt >= FRESH_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await unlessAborted(this.#reading, signal)
    }
    return this.#key
  }

  async rotate(signal?: AbortSignal): Promise<void> {
    const key = this.#random.bytes(TOKEN_KEY_BYTES)
    const at = { namespace: SYSTEM_NAMESPACE, name: TOKEN_SECRET }
    const present = await this.#kubernetes.get(SECRETS, at, signal)
    await writeSecret(this.#kubernetes, TOKEN_SECRET, { key }, present, signal)
    this.#rotations++
    this.#take(key)
  }

  async #read(): Promise<void> {
    const rotations = this.#rotations
    const made = await ensureSecret(
      this.#kubernetes,
      TOKEN_SECRET,
      ({ key }) => (key?.length ?? 0) >= SHORTEST_KEY,
      async () => ({ key: this.#random.bytes(TOKEN_KEY_BYTES) }),
    )
    if (rotations === this.#rotations) this.#take(made['key'] ?? new Uint8Array())
  }

  #take(key: Uint8Array): void {
    this.#key = new Uint8Array(key)
    this.#readAt = this.#clock.monotonic()
  }
}
