import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface PipeOptions {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly wire: { readonly delay: readonly [number, number]; readonly gap: number }
  readonly arrive: (text: string) => void
  readonly finish: (reason: string, isClean: boolean) => void
  /** Nothing crosses from now on. */
  readonly onHeld: () => void
}

type Item =
  | { readonly due: number; readonly text: string }
  | { readonly due: number; readonly reason: string; readonly isClean: boolean }

/** One direction of a connection. What is sent arrives in its order, some time later; while it is held, nothing arrives. */
export class Pipe {
  readonly #options: PipeOptions
  readonly #items: Item[] = []
  readonly #holds = new Set<string>()
  #lastDue = 0
  #isEnded = false
  #isPumping = false
  heldSince: number | undefined

  constructor(options: PipeOptions) {
    this.#options = options
  }

  get depth(): number {
    return this.#items.length
  }

  send(text: string): void {
    if (!this.#isEnded) this.#put({ due: this.#due(), text })
  }

  /** After everything that was sent. */
  end(reason: string, isClean: boolean): void {
    if (this.#isEnded) return
    this.#put({ due: this.#due(), reason, isClean })
    this.#isEnded = true
  }

  /** What is under way is lost, and nothing follows. */
  drop(): void {
    this.#items.length = 0
    this.#isEnded = true
  }

  /** A reader that does not read is no silence of the wire. */
  hold(why: 'wire' | 'stall' | 'hole' | 'reader', isHeld: boolean): void {
    if (isHeld === this.#holds.has(why)) return
    if (isHeld) this.#holds.add(why)
    else this.#holds.delete(why)
    const isSilent = [...this.#holds].some((each) => each !== 'reader')
    if (isSilent && this.heldSince === undefined) {
      this.heldSince = this.#options.scheduler.now
      this.#options.onHeld()
    } else if (!isSilent) {
      this.heldSince = undefined
    }
    if (this.#holds.size === 0) this.#pump()
  }

  #due(): number {
    const { scheduler, random, wire } = this.#options
    const [low, high] = wire.delay
    const at = scheduler.now + low + random.next() * (high - low)
    this.#lastDue = Math.max(at, this.#lastDue + wire.gap)
    return this.#lastDue
  }

  #put(item: Item): void {
    this.#items.push(item)
    this.#pump()
  }

  #pump(): void {
    const first = this.#items[0]
    if (!first || this.#isPumping || this.#holds.size > 0) return
    this.#isPumping = true
    const { scheduler } = this.#options
    scheduler.after(first.due - scheduler.now, () => {
      this.#isPumping = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const { scheduler, arrive, finish } = this.#options
    while (this.#holds.size === 0) {
      const first = this.#items[0]
      if (!first || first.due > scheduler.now) break
      this.#items.shift()
      if ('text' in first) arrive(first.text)
      else finish(first.reason, first.isClean)
    }
    this.#pump()
  }
}
