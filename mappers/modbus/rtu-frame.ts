const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})

/** An exception answer: unit, function, exception, checksum. */
const EXCEPTION_SIZE = 5

/** Where the answer stands in what was received; `undefined` while it may still come. */
export type Found =
  | { readonly kind: 'answer'; readonly start: number; readonly end: number }
  /** As many bytes as an answer has, but none. */
  | { readonly kind: 'garbage' }
  | undefined

/** Modbus over serial line V1.02, 6.2.2. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) crc = (crc >> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return crc
}

export function hasChecksum(frame: Uint8Array): boolean {
  if (frame.length < 4) return false
  const crc = crc16(frame.subarray(0, -2))
  return frame.at(-2) === (crc & 0xff) && frame.at(-1) === crc >> 8
}

/** Unit and PDU as a frame. */
export function frameOf(unitId: number, pdu: Uint8Array): Uint8Array {
  return withChecksum(Uint8Array.of(unitId, ...pdu))
}

/** What begins with a unit and a PDU as a frame. */
export function withChecksum(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(bytes.length + 2)
  frame.set(bytes)
  frame.writeUInt16LE(crc16(bytes), bytes.length)
  return frame
}

/** Whether unit and PDU answer the frame of a request: of its unit and function, of its length, and repeating what they must. */
export function isAnswerTo(request: Uint8Array, answer: Uint8Array): boolean {
  return answerSize(request, answer) === answer.length + 2
}

/**
 * The answer to `request` in what was received after it: of the same unit and function, of the length that was asked for, with
 * what it has to repeat of the request, and with a good checksum. What stands before it is noise or the rest of an older answer.
 */
export function findAnswer(request: Uint8Array, received: Uint8Array): Found {
  let garbage = false
  for (let start = 0; start < received.length; start++) {
    const rest = received.subarray(start)
    const size = answerSize(request, rest)
    if (size === 'none') continue
    if (size === 'later' || rest.length < size) return garbage ? { kind: 'garbage' } : undefined
    if (hasChecksum(rest.subarray(0, size))) return { kind: 'answer', start, end: start + size }
    garbage = true
  }
  return garbage || received.length >= leastSize(request) ? { kind: 'garbage' } : undefined
}

/** Bytes of the answer that begins here, if one does. */
function answerSize(request: Uint8Array, answer: Uint8Array): number | 'none' | 'later' {
  if (answer[0] !== request[0]) return 'none'
  const code = request[1] ?? 0
  if (answer.length < 2) return 'later'
  if (answer[1] === (code | 0x80)) return EXCEPTION_SIZE
  if (answer[1] !== code) return 'none'
  switch (code) {
    case 1:
    case 2:
      return counted(answer, Math.ceil(word(request, 4) / 8))
    case 3:
    case 4:
    case 23:
      return counted(answer, word(request, 4) * 2)
    case 5:
    case 6:
    case 15:
    case 16:
      return repeats(request, answer, 6)
    case 22:
      return repeats(request, answer, 8)
    case 17:
      return answer.length < 3 ? 'later' : (answer[2] ?? 0) + 5
    case 43:
      return identificationSize(answer)
    default:
      return 'none'
  }
}

/** The shortest answer that is no exception. */
function leastSize(request: Uint8Array): number {
  switch (request[1]) {
    case 1:
    case 2:
      return 5 + Math.ceil(word(request, 4) / 8)
    case 3:
    case 4:
    case 23:
      return 5 + word(request, 4) * 2
    case 22:
      return 10
    default:
      return 8
  }
}

function counted(answer: Uint8Array, count: number): number | 'none' | 'later' {
  if (answer.length < 3) return 'later'
  return answer[2] === count ? count + 5 : 'none'
}

/** Writes are answered with so many bytes of the request and a checksum. */
function repeats(request: Uint8Array, answer: Uint8Array, count: number): number | 'none' {
  for (let at = 2; at < Math.min(count, answer.length); at++) if (answer[at] !== request[at]) return 'none'
  return count + 2
}

/** Modbus application protocol V1.1b3, 6.21: objects of any length, counted in the eighth byte. */
function identificationSize(answer: Uint8Array): number | 'later' {
  let at = 8
  for (let object = 0; object < (answer[7] ?? 1); object++) {
    const length = answer[at + 1]
    if (length === undefined) return 'later'
    at += 2 + length
  }
  return at + 2
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
