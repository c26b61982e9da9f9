const LARGEST_BLOCK = 16 * 1024
const SMALLEST_BLOCK = 256

/**
 * Bytes that wait for their reader, copied into blocks: a peer that sends them one by one takes no more memory than one that sends
 * them at once, and nothing holds on to the buffers they came in.
 */
export class ByteQueue {
  readonly #blocks: Buffer[] = []
  /** Of the last block. */
  #used = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      const block = this.#room(data.length - at)
      const part = data.subarray(at, at + block.length - this.#used)
      block.set(part, this.#used)
      this.#used += part.length
      at += part.length
    }
    this.#length += data.length
  }

  /** The oldest bytes, as many as lie together. */
  shift(): Buffer | undefined {
    const block = this.#blocks.shift()
    if (!block) return undefined
    const data = this.#blocks.length === 0 ? block.subarray(0, this.#used) : block
    this.#length -= data.length
    return data
  }

  clear(): void {
    this.#blocks.length = 0
    this.#length = 0
  }

  #room(wanted: number): Buffer {
    const last = this.#blocks.at(-1)
    if (last && this.#used < last.length) return last
    const size = Math.min(LARGEST_BLOCK, Math.max(SMALLEST_BLOCK, wanted, 2 * (last?.length ?? 0)))
    const made = Buffer.allocUnsafeSlow(size)
    this.#blocks.push(made)
    this.#used = 0
    return made
  }
}
