import type { Frame } from '../../schemas/index.ts'

/** Frames between a transport that pushes and a reader that pulls. Full means: stop reading from the peer. */
export class FrameQueue implements AsyncIterable<Frame> {
  readonly #limit: number
  readonly #onFull: (isFull: boolean) => void
  readonly #frames: Frame[] = []
  #isFull = false
  #isClosed = false
  #wake: (() => void) | undefined

  constructor(limit: number, onFull: (isFull: boolean) => void) {
    this.#limit = limit
    this.#onFull = onFull
  }

  push(frame: Frame): void {
    if (this.#isClosed) return
    this.#frames.push(frame)
    if (!this.#isFull && this.#frames.length >= this.#limit) this.#setFull(true)
    this.#wake?.()
  }

  /** What is queued is still read. */
  close(): void {
    this.#isClosed = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Frame> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) {
        if (this.#isFull && this.#frames.length <= this.#limit / 2) this.#setFull(false)
        yield frame
      } else if (this.#isClosed) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }

  #setFull(isFull: boolean): void {
    this.#isFull = isFull
    this.#onFull(isFull)
  }
}
