/** How requests and answers are packed on a link. */
export interface ModbusFraming {
  /** Whole requests at the start of `bytes`, and how many bytes are done with. Undefined where no Modbus can follow: end the link. */
  take(bytes: Buffer): { readonly frames: readonly RequestFrame[]; readonly used: number } | undefined
}

export interface RequestFrame {
  readonly unitId: number
  /** Function code and data. */
  readonly pdu: Buffer
  /** The answer as it goes onto the link. */
  pack(answer: Buffer): Buffer
}

const HEADER = 7
/** Modbus messaging on TCP/IP V1.0b, 4.2: 260 bytes at most. */
const LONGEST_TCP = 260
/** Modbus over serial line V1.02, 2.5.1.1. */
const LONGEST_RTU = 256

/** Modbus TCP: a header with a transaction and a length. */
export const tcpFraming: ModbusFraming = {
  take(bytes) {
    const frames: RequestFrame[] = []
    let at = 0
    while (bytes.length - at >= HEADER + 1) {
      const length = bytes.readUInt16BE(at + 4)
      // Protocol identifier other than 0, or an impossible length: not Modbus, nothing to find the next frame by.
      if (bytes.readUInt16BE(at + 2) !== 0 || length < 2 || length > LONGEST_TCP - 6) return undefined
      if (bytes.length - at < 6 + length) break
      frames.push(tcpFrame(bytes.subarray(at, at + 6 + length)))
      at += 6 + length
    }
    return { frames, used: at }
  },
}

/**
 * Modbus RTU, on a serial line or through TCP: no length, so the function code tells it, and a checksum. Bytes that begin no
 * whole request are passed over.
 */
export const rtuFraming: ModbusFraming = {
  take(bytes) {
    const frames: RequestFrame[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const start = nextRequest(bytes, at)
      if (start === undefined) {
        // Half a request, or noise: whichever it is, no request is longer.
        at = Math.max(at, bytes.length - LONGEST_RTU)
        break
      }
      const length = wholeLength(bytes.subarray(start)) ?? 0
      frames.push(rtuFrame(bytes.subarray(start, start + length)))
      at = start + length
    }
    return { frames, used: at }
  },
}

function tcpFrame(frame: Buffer): RequestFrame {
  const unitId = frame.readUInt8(6)
  return {
    unitId,
    pdu: frame.subarray(HEADER),
    pack(answer) {
      const header = Buffer.alloc(HEADER)
      frame.copy(header, 0, 0, 4)
      header.writeUInt16BE(answer.length + 1, 4)
      header.writeUInt8(unitId, 6)
      return Buffer.concat([header, answer])
    },
  }
}

function rtuFrame(frame: Buffer): RequestFrame {
  return {
    unitId: frame.readUInt8(0),
    pdu: frame.subarray(1, -2),
    pack(answer) {
      const packed = Buffer.concat([frame.subarray(0, 1), answer, Buffer.alloc(2)])
      packed.writeUInt16LE(crc16(packed.subarray(0, -2)), packed.length - 2)
      return packed
    },
  }
}

/** Where the next whole request begins; undefined where there is none yet. */
function nextRequest(bytes: Buffer, from: number): number | undefined {
  for (let at = from; bytes.length - at >= 4; at++) {
    if (wholeLength(bytes.subarray(at)) !== undefined) return at
  }
  return undefined
}

/** Bytes of the request that begins here, with its checksum; undefined where none does, or not all of it has come. */
function wholeLength(bytes: Buffer): number | undefined {
  const code = bytes.readUInt8(1)
  const counted = (at: number) => (bytes.length > at ? at + 1 + bytes.readUInt8(at) + 2 : undefined)
  // A function that nobody here knows is refused, if what has come is one whole frame.
  let length: number | undefined = Math.min(bytes.length, LONGEST_RTU)
  if (code >= 1 && code <= 6) length = 8
  else if (code === 15 || code === 16) length = counted(6)
  else if (code === 22) length = 10
  else if (code === 23) length = counted(10)
  if (length === undefined || length > bytes.length) return undefined
  return isWhole(bytes.subarray(0, length)) ? length : undefined
}

function isWhole(frame: Buffer): boolean {
  return frame.length >= 4 && frame.readUInt16LE(frame.length - 2) === crc16(frame.subarray(0, -2))
}

/** Modbus over serial line V1.02, 6.2.2. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}
