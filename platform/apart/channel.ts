import type { Duplex } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { describeError } from '../lifecycle/errors.ts'

/** Messages that can be cloned, over a pipe to another process. */
export interface Channel {
  /** Throws for what cannot be cloned or is too large. */
  send(message: unknown, done?: () => void): void
  /** After what was sent. */
  end(): void
}

export interface ChannelHandlers {
  onMessage(message: unknown): void
  /** What came is no message; nothing more is read. The other end may be broken beyond its JavaScript. */
  onBroken(reason: string): void
  onClose(): void
}

const LENGTH_BYTES = 4
/** Of one message. */
const MOST_BYTES = 64 << 20

/**
 * A channel of our own where Node.js has one built in: that one throws into the event loop of the parent when the child writes
 * nonsense, and takes a message of any size.
 */
export function openChannel(pipe: Duplex, { onMessage, onBroken, onClose }: ChannelHandlers): Channel {
  const parts = new Parts()
  let isBroken = false
  const read = (): { readonly message: unknown } | undefined => {
    if (isBroken) return undefined
    try {
      const bytes = parts.next()
      return bytes && { message: deserialize(bytes) }
    } catch (error) {
      isBroken = true
      parts.clear()
      onBroken(describeError(error))
      return undefined
    }
  }
  pipe.on('data', (chunk: Buffer) => {
    if (isBroken) return
    parts.add(chunk)
    for (let next = read(); next; next = read()) onMessage(next.message)
  })
  // A pipe that breaks is closed.
  pipe.on('error', () => undefined)
  pipe.once('end', () => pipe.destroy())
  pipe.once('close', onClose)
  return {
    send(message, done) {
      const body = serialize(message)
      if (body.length > MOST_BYTES) throw new Error(tooLarge(body.length))
      const head = Buffer.alloc(LENGTH_BYTES)
      head.writeUInt32BE(body.length)
      if (!pipe.writable) return
      pipe.cork()
      pipe.write(head)
      pipe.write(body, () => done?.())
      pipe.uncork()
    },
    end: () => void pipe.end(() => pipe.destroy()),
  }
}

/** Chunks as they come, messages as they were sent. */
class Parts {
  #chunks: Buffer[] = []
  #bytes = 0

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  next(): Buffer | undefined {
    if (this.#bytes < LENGTH_BYTES) return undefined
    const length = this.#peekLength()
    if (length > MOST_BYTES) throw new Error(tooLarge(length))
    if (this.#bytes < LENGTH_BYTES + length) return undefined
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    const rest = all?.subarray(LENGTH_BYTES + length)
    this.#chunks = rest === undefined || rest.length === 0 ? [] : [rest]
    this.#bytes = rest?.length ?? 0
    return all?.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }

  #peekLength(): number {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= LENGTH_BYTES) return first.readUInt32BE(0)
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all.readUInt32BE(0)
  }
}

function tooLarge(bytes: number): string {
  return `a message of ${Math.round(bytes / 1e6)} MB is too large for the other process`
}
