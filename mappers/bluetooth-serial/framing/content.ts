import { checksum, checksumSize } from './checksum.ts'
import type { ChecksumRules, FrameRules } from './framing.ts'

/** The payload of a content whose checksum is right; undefined where it is wrong. */
export function openContent(content: Buffer, rules: FrameRules): Buffer | undefined {
  const sum = rules.checksum
  if (!sum) return content
  const end = content.length - sum.size
  if (end < sum.from) return undefined
  const payload = content.subarray(0, end)
  const tail = content.subarray(end)
  const expected = tailOf(payload, rules, sum)
  return tail.equals(expected) || (sum.isHex && sameHex(tail, expected, sum)) ? payload : undefined
}

/** Everything of a frame: payload, length, checksum, stuffing, markers. Throws a RangeError when it cannot be one. */
export function encodeFrame(payload: Uint8Array, rules: FrameRules): Buffer {
  const body = Buffer.from(payload)
  const size = body.length + (rules.checksum?.size ?? 0)
  if (size > rules.maxLength)
    throw new RangeError(`a frame of ${size} bytes is longer than maxLength ${rules.maxLength}`)
  if (rules.kind === 'length') writeLength(body, size, rules)
  const content = rules.checksum ? Buffer.concat([body, tailOf(body, rules, rules.checksum)]) : body
  switch (rules.kind) {
    case 'delimiter':
      return Buffer.concat([content, rules.end])
    case 'markers':
      return Buffer.concat([rules.start, rules.stuffing === 'none' ? content : stuff(content, rules), rules.end])
    case 'silence':
      return content
    default:
      return Buffer.concat([rules.start, content])
  }
}

/** Takes escapes out; undefined where one is broken. */
export function unstuff(bytes: Buffer, rules: FrameRules): Buffer | undefined {
  const out = Buffer.alloc(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte !== rules.escape) {
      out[length++] = byte
      continue
    }
    const next = bytes[++at]
    const plain = next === undefined ? undefined : unescaped(next, rules)
    if (plain === undefined) return undefined
    out[length++] = plain
  }
  return out.subarray(0, length)
}

function stuff(content: Buffer, rules: FrameRules): Buffer {
  const out: number[] = []
  for (const byte of content) {
    if (byte !== rules.escape && byte !== rules.start[0] && byte !== rules.end[0]) out.push(byte)
    else out.push(rules.escape, escaped(byte, rules))
  }
  return Buffer.from(out)
}

/** RFC 1055: END is told as ESC 0xDC, ESC as ESC 0xDD. */
function escaped(byte: number, rules: FrameRules): number {
  if (rules.stuffing === 'xor') return byte ^ 0x20
  return byte === rules.escape ? 0xdd : 0xdc
}

function unescaped(byte: number, rules: FrameRules): number | undefined {
  if (rules.stuffing === 'xor') return byte ^ 0x20
  if (byte === 0xdd) return rules.escape
  return byte === 0xdc ? (rules.end[0] ?? 0) : undefined
}

function tailOf(payload: Buffer, rules: FrameRules, sum: ChecksumRules): Buffer {
  // What stands before the checksum is not covered: NMEA sums up to the asterisk.
  const covered = payload.subarray(sum.from)
  const value = checksum(sum.kind, sum.coversStart ? Buffer.concat([rules.start, covered]) : covered)
  const size = checksumSize(sum.kind)
  const bytes = Buffer.alloc(size)
  if (sum.order === 'big') bytes.writeUIntBE(value, 0, size)
  else bytes.writeUIntLE(value, 0, size)
  return Buffer.concat([sum.before, sum.isHex ? Buffer.from(bytes.toString('hex').toUpperCase()) : bytes])
}

function sameHex(tail: Buffer, expected: Buffer, { before }: ChecksumRules): boolean {
  const digits = tail.toString('latin1', before.length).toUpperCase()
  return tail.subarray(0, before.length).equals(before) && digits === expected.toString('latin1', before.length)
}

function writeLength(body: Buffer, size: number, rules: FrameRules): void {
  const { lengthAt, lengthBytes, lengthOrder, lengthAdds } = rules
  if (body.length < lengthAt + lengthBytes) {
    throw new RangeError(`the payload has no room for its length at ${lengthAt}`)
  }
  const value = size - lengthAdds
  if (value < 0 || value >= 2 ** (8 * lengthBytes)) throw new RangeError(`a length of ${value} does not fit`)
  if (lengthOrder === 'big') body.writeUIntBE(value, lengthAt, lengthBytes)
  else body.writeUIntLE(value, lengthAt, lengthBytes)
}
