import { createInflate, type Inflate } from 'node:zlib'
import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from './dictionary.ts'
import { FrameError } from './frames.ts'

/** Of a stream: names in small letters. */
export type StreamHeaders = Readonly<Record<string, string>>

const MOST_BYTES = 64 * 1024
const MOST_HEADERS = 100
/** Deflate, window of 32 KiB, a dictionary is meant (RFC 1950, 2.2); both bytes together are a multiple of 31. */
const ZLIB_HEAD = [0x78, 0xbb] as const
const LARGEST_STORED = 0xffff

/**
 * Writes the header blocks of one direction of a connection. They are stored, not compressed (RFC 1951, 3.2.4): they are some
 * dozen bytes, the form needs no state, and nothing can be learnt from their lengths.
 */
export class HeaderWriter {
  #isBegun = false

  write(headers: StreamHeaders): Buffer {
    const plain = plainBlock(headers)
    if (plain.length > LARGEST_STORED) throw new RangeError('the headers of a stream are too long')
    const parts: Buffer[] = []
    if (!this.#isBegun) parts.push(zlibHead())
    this.#isBegun = true
    // An empty block at the end makes readers hand out what they have: it is what a flush of zlib writes.
    return Buffer.concat([...parts, storedHead(plain.length), plain, storedHead(0)])
  }
}

/** Not the last block, stored; then its length and the complement of that. */
function storedHead(length: number): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(length, 1)
  head.writeUInt16LE(length ^ 0xffff, 3)
  return head
}

function zlibHead(): Buffer {
  const head = Buffer.alloc(6)
  head.set(ZLIB_HEAD)
  head.writeUInt32BE(HEADER_DICTIONARY_ID, 2)
  return head
}

function plainBlock(headers: StreamHeaders): Buffer {
  const entries = Object.entries(headers)
  return Buffer.concat([uint32(entries.length), ...entries.flatMap(([name, value]) => [text(name), text(value)])])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Reads the header blocks of one direction, one after the other: each is compressed with what came before it. */
export class HeaderReader implements Disposable {
  #inflate: Inflate | undefined

  /** Rejects with a FrameError. */
  async read(block: Buffer): Promise<StreamHeaders> {
    return parsePlainBlock(await this.#expand(block))
  }

  #expand(block: Buffer): Promise<Buffer> {
    this.#inflate ??= createInflate({ dictionary: HEADER_DICTIONARY })
    const inflate = this.#inflate
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = []
      let size = 0
      const settle = (end: () => void) => {
        inflate.off('data', onData).off('error', onError).off('close', onClose)
        end()
      }
      const onData = (piece: Buffer) => {
        size += piece.length
        pieces.push(piece)
        if (size > MOST_BYTES) onError(new Error('it is too long'))
      }
      const onError = (cause: unknown) => settle(() => reject(new FrameError('a header block is bad', { cause })))
      const onClose = () => onError(new Error('the connection ended'))
      inflate.on('data', onData).on('error', onError).on('close', onClose)
      inflate.write(block, (error) => {
        if (error) return onError(error)
        while (inflate.read() !== null) {
          // What waits is told as data, too.
        }
        settle(() => resolve(Buffer.concat(pieces)))
      })
    })
  }

  [Symbol.dispose](): void {
    this.#inflate?.on('error', () => undefined).destroy()
  }
}

/** Throws a FrameError. */
export function parsePlainBlock(block: Buffer): StreamHeaders {
  let at = 0
  const number = () => {
    if (at + 4 > block.length) throw new FrameError('a header block is cut off')
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const piece = () => {
    const length = number()
    if (length > block.length - at) throw new FrameError('a header block is cut off')
    at += length
    return block.toString('utf8', at - length, at)
  }
  const count = number()
  if (count > MOST_HEADERS) throw new FrameError('a header block has too many headers')
  const headers: Record<string, string> = Object.create(null)
  for (let index = 0; index < count; index++) {
    const name = piece()
    if (Object.hasOwn(headers, name)) throw new FrameError('a header block has a name twice')
    headers[name] = piece()
  }
  if (at !== block.length) throw new FrameError('a header block is too long')
  return headers
}
