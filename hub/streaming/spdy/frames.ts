/** Frames of SPDY/3.1 (draft 3.1, 2.2 and 2.6). Numbers are big-endian. */
export type Frame =
  | DataPiece
  | { readonly type: 'open'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly type: 'reply'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly type: 'headers'; readonly stream: number; readonly isLast: boolean; readonly block: Buffer }
  | { readonly type: 'reset'; readonly stream: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway'; readonly lastStream: number; readonly status: number }

/** What has come of a data frame: large ones are handed on in pieces. `isLast` ends the stream. */
export interface DataPiece {
  readonly type: 'data'
  readonly stream: number
  readonly isLast: boolean
  readonly data: Buffer
}

/** Why a stream is reset (2.6.3). */
export const RESET = { protocolError: 1, invalidStream: 2, refused: 3, cancel: 5, internalError: 6 } as const
/** Why a connection ends (2.6.6). */
export const GOAWAY = { ok: 0, protocolError: 1 } as const

/** A peer that breaks the protocol; its connection ends. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const HEAD = 8
const VERSION = 3
const FIN = 0x01
/** Peers of Kubernetes send header blocks below 1 KiB. */
export const LARGEST_CONTROL = 64 * 1024
/** Of a data frame that is written. */
export const LARGEST_DATA = 32 * 1024

const TYPE = { open: 1, reply: 2, reset: 3, settings: 4, ping: 6, goaway: 7, headers: 8, windowUpdate: 9 } as const

export function encodeData(stream: number, data: Uint8Array, isLast: boolean): Buffer {
  const frame = Buffer.alloc(HEAD + data.length)
  frame.writeUInt32BE(stream)
  frame.writeUInt32BE((isLast ? FIN : 0) * 0x1000000 + data.length, 4)
  frame.set(data, HEAD)
  return frame
}

export function encodeOpen(stream: number, block: Uint8Array): Buffer {
  // Stream, associated stream (none), priority (highest) and slot.
  return control(TYPE.open, 0, [uint32(stream), uint32(0), Buffer.alloc(2), block])
}

export function encodeReply(stream: number, block: Uint8Array): Buffer {
  return control(TYPE.reply, 0, [uint32(stream), block])
}

export function encodeReset(stream: number, status: number): Buffer {
  return control(TYPE.reset, 0, [uint32(stream), uint32(status)])
}

export function encodePing(id: number): Buffer {
  return control(TYPE.ping, 0, [uint32(id)])
}

export function encodeGoaway(lastStream: number, status: number): Buffer {
  return control(TYPE.goaway, 0, [uint32(lastStream), uint32(status)])
}

function control(type: number, flags: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(HEAD)
  head.writeUInt16BE(0x8000 | VERSION)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(flags * 0x1000000 + body.length, 4)
  return Buffer.concat([head, body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Takes bytes as they come, and gives the frames in them. Holds at most one control frame. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0)
  #data: { readonly stream: number; readonly isFin: boolean; left: number } | undefined;

  /** Throws a FrameError; nothing may be read afterwards. */
  *read(chunk: Buffer): Generator<Frame> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    for (;;) {
      if (this.#data) {
        const piece = rest.subarray(0, this.#data.left)
        rest = rest.subarray(piece.length)
        const taken = this.#take(this.#data, piece)
        if (taken) yield taken
        if (this.#data) return
      }
      if (rest.length < HEAD) break
      const length = rest.readUInt32BE(4) & 0xffffff
      const flags = rest.readUInt8(4)
      const first = rest.readUInt32BE(0)
      if (first < 0x80000000) {
        if (first === 0) throw new FrameError('a data frame without a stream')
        this.#data = { stream: first, isFin: (flags & FIN) !== 0, left: length }
        rest = rest.subarray(HEAD)
        continue
      }
      if (length > LARGEST_CONTROL) throw new FrameError('a control frame is too large')
      if (rest.length < HEAD + length) break
      const body = rest.subarray(HEAD, HEAD + length)
      rest = rest.subarray(HEAD + length)
      const version = (first >>> 16) & 0x7fff
      if (version !== VERSION) throw new FrameError(`version ${version} of SPDY is not spoken`)
      const frame = controlFrame(first & 0xffff, flags, body)
      if (frame) yield frame
    }
    // What is kept must not hold the whole chunk.
    if (rest.length > 0) this.#held = Buffer.from(rest)
  }

  #take(
    data: { readonly stream: number; readonly isFin: boolean; left: number },
    piece: Buffer,
  ): DataPiece | undefined {
    data.left -= piece.length
    const isWhole = data.left === 0
    if (isWhole) this.#data = undefined
    if (piece.length === 0 && !(isWhole && data.isFin)) return undefined
    return { type: 'data', stream: data.stream, isLast: isWhole && data.isFin, data: piece }
  }
}

/** Undefined for what says nothing here: settings and windows, which peers of Kubernetes neither keep nor expect. */
function controlFrame(type: number, flags: number, body: Buffer): Frame | undefined {
  const isLast = (flags & FIN) !== 0
  switch (type) {
    case TYPE.open:
      need(body, 10)
      return { type: 'open', stream: streamOf(body), isLast, block: body.subarray(10) }
    case TYPE.reply:
      need(body, 4)
      return { type: 'reply', stream: streamOf(body), isLast, block: body.subarray(4) }
    case TYPE.headers:
      need(body, 4)
      return { type: 'headers', stream: streamOf(body), isLast, block: body.subarray(4) }
    case TYPE.reset:
      need(body, 8)
      return { type: 'reset', stream: streamOf(body), status: body.readUInt32BE(4) }
    case TYPE.ping:
      need(body, 4)
      return { type: 'ping', id: body.readUInt32BE(0) }
    case TYPE.goaway:
      need(body, 8)
      return { type: 'goaway', lastStream: body.readUInt32BE(0) & 0x7fffffff, status: body.readUInt32BE(4) }
    default:
      return undefined
  }
}

function need(body: Buffer, bytes: number): void {
  if (body.length < bytes) throw new FrameError('a control frame is too short')
}

function streamOf(body: Buffer): number {
  const stream = body.readUInt32BE(0) & 0x7fffffff
  if (stream === 0) throw new FrameError('a frame for no stream')
  return stream
}
