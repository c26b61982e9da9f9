/** Of one turn on the wire. */
export const LARGEST_PART = 16 * 1024

type Done = (error?: Error | null) => void

/** What one stream has still to say: a chunk, part by part, then its end. A Duplex gives one chunk at a time. */
export class Speech {
  #writing: { readonly chunk: Buffer; at: number; readonly done: Done } | undefined
  #ending: Done | undefined

  write(chunk: Buffer, done: Done): void {
    this.#writing = { chunk, at: 0, done }
  }

  end(done: Done): void {
    this.#ending = done
  }

  /** There is a chunk that is not said to its end. */
  get isWriting(): boolean {
    return this.#writing !== undefined
  }

  get isEnding(): boolean {
    return !this.#writing && this.#ending !== undefined
  }

  /** The next part, of at most so many bytes; undefined where there is none. To be followed by `passed` once it is accounted for. */
  part(most: number): Buffer | undefined {
    const writing = this.#writing
    if (!writing) return undefined
    const part = writing.chunk.subarray(writing.at, writing.at + Math.min(LARGEST_PART, most))
    if (part.length === 0 && writing.chunk.length > 0) return undefined
    writing.at += part.length
    return part
  }

  /** Asks for the next chunk where this one is at its end. */
  passed(): void {
    const writing = this.#writing
    if (!writing || writing.at < writing.chunk.length) return
    this.#writing = undefined
    writing.done()
  }

  /** Nothing more is said: because all was, or nobody hears it, or by the error. */
  settle(error?: Error): void {
    const [writing, ending] = [this.#writing, this.#ending]
    this.#writing = undefined
    this.#ending = undefined
    writing?.done(error)
    ending?.(error)
  }
}
