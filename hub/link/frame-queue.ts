import { afterTurn } from '../../platform/time/index.ts'
import type { Frame } from '../../schemas/index.ts'

export interface FrameQueueLimits {
  readonly most: number
  /** At least one item fits, however large. */
  readonly mostBytes?: number
  /** Items that are handed out one after the other before events of others are looked at; default: all. */
  readonly turn?: number
}

/** Frames between a transport that pushes and a reader that pulls. Full means: stop reading from the peer. */
export class FrameQueue<T = Frame> implements AsyncIterable<T> {
  readonly #most: number
  readonly #mostBytes: number
  readonly #turn: number
  readonly #onFull: (isFull: boolean) => void
  readonly #items: { readonly item: T; readonly bytes: number }[] = []
  #bytes = 0
  #isFull = false
  #isClosed = false
  #wake: (() => void) | undefined

  constructor(limits: FrameQueueLimits, onFull: (isFull: boolean) => void) {
    const { most, mostBytes = Number.POSITIVE_INFINITY, turn = Number.POSITIVE_INFINITY } = limits
    this.#most = most
    this.#mostBytes = mostBytes
    this.#turn = turn
    this.#onFull = onFull
  }

  get bytes(): number {
    return this.#bytes
  }

  push(item: T, bytes = 0): void {
    if (this.#isClosed) return
    this.#items.push({ item, bytes })
    this.#bytes += bytes
    const isFull = this.#items.length >= this.#most || this.#bytes >= this.#mostBytes
    if (!this.#isFull && isFull) this.#setFull(true)
    this.#wake?.()
  }

  /** What is queued is still read. */
  close(): void {
    this.#isClosed = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let taken = 0; ; ) {
      const first = this.#items.shift()
      if (first) {
        this.#bytes -= first.bytes
        const hasRoom = this.#items.length <= this.#most / 2 && this.#bytes <= this.#mostBytes / 2
        if (this.#isFull && hasRoom) this.#setFull(false)
        yield first.item
        // A peer that sends without end takes turns with the others.
        if (++taken % this.#turn === 0 && this.#items.length > 0)
          await new Promise<void>((resolve) => afterTurn(resolve))
      } else if (this.#isClosed) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
        taken = 0
      }
    }
  }

  #setFull(isFull: boolean): void {
    this.#isFull = isFull
    this.#onFull(isFull)
  }
}
