import type { Clock } from '../../../platform/time/index.ts'
import { isLater } from './meta-change.ts'
import type { MetaRow } from './meta-store.ts'

/** An original cloud sends the same frame for 25 s; whatever of an object comes later than this was made after its deletion. */
const REMEMBERED_MS = 60_000
const MOST = 4096

/** Objects that were deleted a moment ago, so that a change which was overtaken by the deletion does not bring them back. */
export class Departed {
  readonly #clock: Clock
  /** By uid, the latest last. */
  readonly #gone = new Map<string, { readonly resourceVersion: string; readonly at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note({ uid, resourceVersion }: MetaRow): void {
    if (uid === '') return
    this.#gone.delete(uid)
    this.#gone.set(uid, { resourceVersion, at: this.#clock.monotonic() })
    for (const [oldest, { at }] of this.#gone) {
      if (this.#gone.size <= MOST && this.#clock.monotonic() - at < REMEMBERED_MS) break
      this.#gone.delete(oldest)
    }
  }

  /** The row says nothing that was not known when its object was deleted. */
  covers({ uid, resourceVersion }: MetaRow): boolean {
    const gone = this.#gone.get(uid)
    if (!gone || this.#clock.monotonic() - gone.at >= REMEMBERED_MS) return false
    return isLater(resourceVersion, gone.resourceVersion) !== true
  }
}
