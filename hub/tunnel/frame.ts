/**
 * Types of a tunnel's frames. Those below 32 are KubeEdge's (`pkg/stream/constants.go`); the others go between Skerry peers alone,
 * which use `data`, `remove` and `close` of KubeEdge's too.
 */
export const FRAME_TYPES = {
  logs: 0,
  exec: 1,
  metrics: 2,
  data: 3,
  /** The stream is over; what is under way is lost. Data: why, as text. */
  remove: 4,
  /** The tunnel is over. Data: why, as text. */
  close: 5,
  attach: 6,
  /** Cloud to edge. Data: uvarint of bytes that the cloud takes, then the target's name. */
  open: 32,
  /** Edge to cloud. Data: uvarint of bytes that the edge takes. */
  opened: 33,
  /** Edge to cloud. Data: why, as one word. */
  refused: 34,
  /** Data: uvarint of bytes that the other end may send beyond what it might so far. */
  credit: 35,
  /** No more data comes; the other direction goes on. */
  end: 36,
} as const

export interface TunnelFrame {
  /** Of the stream; 0 speaks of the tunnel. */
  readonly id: number
  readonly type: number
  readonly data: Buffer
}

/** Most data of one frame, as KubeEdge since CVE-2022-31079. */
export const LARGEST_DATA = 1024 * 1024
/** Two numbers of at most ten bytes stand before the data. */
export const LARGEST_MESSAGE = LARGEST_DATA + 20

const LONGEST_UVARINT = 10
const NOTHING = Buffer.alloc(0)

export type DecodedFrame =
  | { readonly ok: true; readonly frame: TunnelFrame }
  | { readonly ok: false; readonly reason: string }

export function encodeTunnelFrame(id: number, type: number, data: Uint8Array | string = NOTHING): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return Buffer.concat([uvarint(id), uvarint(type), bytes])
}

/** Reads one message. The data is a view of it. */
export function decodeTunnelFrame(message: Buffer): DecodedFrame {
  const id = readUvarint(message, 0)
  if (!id) return { ok: false, reason: 'the id of the stream is no number' }
  const type = readUvarint(message, id.end)
  if (!type) return { ok: false, reason: 'the type is no number' }
  const data = message.subarray(type.end)
  if (data.length > LARGEST_DATA) return { ok: false, reason: 'more than 1 MiB of data' }
  return { ok: true, frame: { id: id.value, type: type.value, data } }
}

/** Unsigned LEB128, as `encoding/binary` of Go writes it. */
export function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** Undefined where the bytes end too early, go on too long, or say a number that is no safe integer. */
export function readUvarint(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let at = start; at < start + LONGEST_UVARINT; at++) {
    const byte = bytes[at]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (value > Number.MAX_SAFE_INTEGER) return undefined
    if (byte < 0x80) return { value, end: at + 1 }
  }
  return undefined
}
