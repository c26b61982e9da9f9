import { type Clock, TokenBucket } from '../../../platform/time/index.ts'

/** Of one pod: at once, and one in five minutes for long. A kubelet's (client-go, EventSourceObjectSpamFilter). */
const RATE = { burst: 25, perSecond: 1 / 300 }
const PODS_BOUND = 4096

/** How many Events each pod may still write: one that goes wrong over and over must not fill the API. */
export class PodAllowance {
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False where the pod has used up what it may. */
  take(uid: string): boolean {
    const bucket = this.#buckets.get(uid) ?? new TokenBucket(this.#clock, RATE)
    this.#buckets.delete(uid)
    this.#buckets.set(uid, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > PODS_BOUND && oldest !== undefined) this.#buckets.delete(oldest)
    if (bucket.wait > 0) return false
    bucket.take()
    return true
  }
}
