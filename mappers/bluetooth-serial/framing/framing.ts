import { type Static, Type } from '../../contract/index.ts'
import { parseBytes } from './bytes.ts'
import { CHECKSUMS, type ChecksumKind, checksumSize } from './checksum.ts'

const NOTATION = 'Text with the escapes \\r \\n \\t \\0 \\\\ \\xHH, or hex: and pairs of digits.'

const Checksum = Type.Object(
  {
    kind: Type.Union(
      CHECKSUMS.map((kind) => Type.Literal(kind)),
      {
        description:
          'sum8: sum of the bytes. xor8: exclusive or, as NMEA 0183. lrc: two’s complement of the sum. crc8: polynomial 0x07. crc16-modbus, crc16-ccitt (starts with 0xFFFF), crc16-xmodem (starts with 0), crc32.',
      },
    ),
    format: Type.Union([Type.Literal('binary'), Type.Literal('hex')], {
      default: 'binary',
      description: 'As bytes, or as hexadecimal digits in text.',
    }),
    order: Type.Optional(
      Type.Union([Type.Literal('big'), Type.Literal('little')], {
        description: 'Order of its bytes. Default: little for crc16-modbus, otherwise big.',
      }),
    ),
    before: Type.Optional(
      Type.String({
        description: `What stands between the covered bytes and the checksum, e.g. * in NMEA. ${NOTATION}`,
      }),
    ),
    from: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65_535,
      description: 'First byte of the content that it covers, counted from 0. It covers everything up to itself.',
    }),
    coversStart: Type.Boolean({ default: false, description: 'It covers the start marker too.' }),
  },
  { description: 'Checksum at the end of the content. A frame whose checksum is wrong is dropped and counted.' },
)

export const FRAMING_KINDS = ['delimiter', 'fixed', 'length', 'markers', 'silence'] as const

/** The data language of frames. Content is what stands between start and end marker, with its checksum. */
export const Framing = Type.Object(
  {
    kind: Type.Union(
      FRAMING_KINDS.map((kind) => Type.Literal(kind)),
      {
        default: 'delimiter',
        description:
          'delimiter: a frame ends with `end`. fixed: it has `length` bytes. length: it says its length itself. markers: it begins with `start` and ends with `end`. silence: it ends with a pause.',
      },
    ),
    start: Type.Optional(
      Type.String({ description: `Bytes that each frame begins with (markers, fixed, length). ${NOTATION}` }),
    ),
    end: Type.Optional(
      Type.String({ description: `Bytes that each frame ends with (delimiter, markers). Default: \\n. ${NOTATION}` }),
    ),
    stuffing: Type.Union([Type.Literal('none'), Type.Literal('xor'), Type.Literal('slip')], {
      default: 'none',
      description:
        'How marker bytes inside of the content are escaped (markers). xor: `escape`, then the byte with 0x20 flipped, as HDLC and PPP. slip: as RFC 1055, where start and end are \\xc0.',
    }),
    escape: Type.String({ default: '\\x7d', description: 'The one byte that escapes with stuffing xor.' }),
    length: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_536, description: 'Bytes of the content, with its checksum (fixed).' }),
    ),
    lengthAt: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 255,
      description: 'Where in the content its length is, counted from 0 (length).',
    }),
    lengthBytes: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)], {
      default: 1,
      description: 'Bytes of the length (length).',
    }),
    lengthOrder: Type.Union([Type.Literal('big'), Type.Literal('little')], {
      default: 'big',
      description: 'Order of the bytes of the length (length).',
    }),
    lengthAdds: Type.Optional(
      Type.Integer({
        minimum: -65_536,
        maximum: 65_536,
        description:
          'Bytes of the content, with its checksum, that the length does not count (length). Default: everything up to the length and itself. 0: the length counts the whole content.',
      }),
    ),
    silence: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 60_000,
        description:
          'Milliseconds without a byte that end a frame (silence, where the default is 20). With any other kind they drop a frame that was begun.',
      }),
    ),
    maxLength: Type.Integer({
      default: 1024,
      minimum: 1,
      maximum: 65_536,
      description: 'Most bytes of the content. Longer frames are dropped and counted.',
    }),
    checksum: Type.Optional(Checksum),
  },
  { description: 'Where a frame begins and ends in the stream of bytes.' },
)
export type Framing = Static<typeof Framing>

/** As Framing, defaults decided and bytes parsed. */
export interface FrameRules {
  readonly kind: Framing['kind']
  readonly start: Buffer
  readonly end: Buffer
  readonly stuffing: Framing['stuffing']
  readonly escape: number
  readonly length: number
  readonly lengthAt: number
  readonly lengthBytes: 1 | 2 | 4
  readonly lengthOrder: 'big' | 'little'
  readonly lengthAdds: number
  /** ms; undefined: a pause means nothing. */
  readonly silence: number | undefined
  readonly maxLength: number
  readonly checksum: ChecksumRules | undefined
}

export interface ChecksumRules {
  readonly kind: ChecksumKind
  readonly isHex: boolean
  readonly order: 'big' | 'little'
  readonly before: Buffer
  readonly from: number
  readonly coversStart: boolean
  /** Bytes at the end of the content: `before` and the checksum. */
  readonly size: number
}

export interface FramingIssue {
  /** JSON pointer within the framing. */
  readonly pointer: string
  readonly message: string
}

const SILENCE = 20
const SLIP_END = '\\xc0'
const SLIP_ESCAPE = 0xdb

/** Decides all defaults; finds what the schema cannot. */
export function frameRules(framing: Framing): FrameRules | readonly FramingIssue[] {
  const issues: FramingIssue[] = []
  const bytes = (pointer: string, text: string) => {
    const parsed = parseBytes(text)
    if (parsed.ok) return parsed.value
    issues.push({ pointer, message: parsed.reason })
    return Buffer.alloc(0)
  }
  const { kind, stuffing } = framing
  const isSlip = kind === 'markers' && stuffing === 'slip'
  const start = bytes('/start', framing.start ?? (isSlip ? SLIP_END : ''))
  const end = bytes('/end', framing.end ?? (isSlip ? SLIP_END : '\\n'))
  const escaping = bytes('/escape', framing.escape)
  if (kind === 'markers' && start.length === 0) issues.push({ pointer: '/start', message: 'is needed by kind markers' })
  if (end.length === 0) issues.push({ pointer: '/end', message: 'must not be empty' })
  if (escaping.length !== 1) issues.push({ pointer: '/escape', message: 'must be one byte' })
  if (stuffing !== 'none' && kind !== 'markers') {
    issues.push({ pointer: '/stuffing', message: 'needs kind markers' })
  }
  if (stuffing !== 'none' && (start.length !== 1 || end.length !== 1)) {
    issues.push({ pointer: '/stuffing', message: 'needs start and end of one byte each' })
  }
  if (kind === 'fixed' && framing.length === undefined) {
    issues.push({ pointer: '/length', message: 'is needed by kind fixed' })
  }
  const checksum = framing.checksum && checksumRules(framing.checksum, bytes)
  const length = framing.length ?? 0
  if (kind === 'fixed' && checksum && length <= checksum.size) {
    issues.push({ pointer: '/length', message: 'leaves no room beside the checksum' })
  }
  if (issues.length > 0) return issues
  return {
    ...{ kind, start, end, stuffing, length, checksum },
    escape: isSlip ? SLIP_ESCAPE : (escaping[0] ?? 0),
    lengthAt: framing.lengthAt,
    lengthBytes: framing.lengthBytes,
    lengthOrder: framing.lengthOrder,
    lengthAdds: framing.lengthAdds ?? framing.lengthAt + framing.lengthBytes,
    silence: framing.silence ?? (kind === 'silence' ? SILENCE : undefined),
    maxLength: Math.max(framing.maxLength, length),
  }
}

function checksumRules(
  found: NonNullable<Framing['checksum']>,
  bytes: (pointer: string, text: string) => Buffer,
): ChecksumRules {
  const before = bytes('/checksum/before', found.before ?? '')
  const isHex = found.format === 'hex'
  const order = found.order ?? (found.kind === 'crc16-modbus' && !isHex ? 'little' : 'big')
  const size = before.length + checksumSize(found.kind) * (isHex ? 2 : 1)
  return { kind: found.kind, isHex, order, before, from: found.from, coversStart: found.coversStart, size }
}
