import { CelError } from '../errors.ts'
import { type CelValue, isBoxed } from '../values.ts'
import { any, boxed, int, mismatch, ranged, text } from './arguments.ts'
import { define, type Overload, type Run } from './signature.ts'
import { durationText, parseDuration, parseTimestamp, parts, timestampText } from './time-text.ts'

const SECOND = 1_000_000_000n
const MOST_UINT = 2n ** 64n - 1n
/** Years 1 to 9999. */
const [FIRST, LAST] = [-62_135_596_800n, 253_402_300_799n]
const same: Run = (args) => any(args, 0)

export const CONVERSIONS: readonly Overload[] = [
  define('dyn(A): dyn', same),
  define('type(A): type', (args) => ({ kind: 'type', name: typeName(any(args, 0)) })),
  define('int(int): int', same),
  define('int(uint): int', (args) => ranged(boxed(args, 0, 'uint').value)),
  define('int(double): int', ([value]) => ranged(truncated(value))),
  define('int(string): int', (args) => ranged(parsed(text(args, 0), 'int'))),
  define('int(timestamp): int', (args) => parts(boxed(args, 0, 'timestamp').nanos).seconds),
  define('uint(uint): uint', same),
  define('uint(int): uint', (args) => uint(int(args, 0))),
  define('uint(double): uint', ([value]) => uint(truncated(value))),
  define('uint(string): uint', (args) => uint(parsed(text(args, 0), 'uint'))),
  define('double(double): double', same),
  define('double(int): double', (args) => Number(int(args, 0))),
  define('double(uint): double', (args) => Number(boxed(args, 0, 'uint').value)),
  define('double(string): double', (args) => {
    const value = text(args, 0).trim() === '' ? Number.NaN : Number(text(args, 0))
    if (Number.isNaN(value) && text(args, 0) !== 'NaN') throw failedConversion('string', 'double')
    return value
  }),
  define('string(string): string', same),
  define('string(int): string', (args) => String(int(args, 0))),
  define('string(uint): string', (args) => String(boxed(args, 0, 'uint').value)),
  define('string(double): string', ([value]) => String(value)),
  define('string(bool): string', ([value]) => String(value)),
  define('string(bytes): string', ([value]) => {
    if (!(value instanceof Uint8Array)) return mismatch()
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(value)
    } catch {
      // Not UTF-8: the only thing that the decoder refuses.
      throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
    }
  }),
  define('string(timestamp): string', (args) => timestampText(boxed(args, 0, 'timestamp').nanos)),
  define('string(duration): string', (args) => durationText(boxed(args, 0, 'duration').nanos)),
  define('bytes(bytes): bytes', same),
  define('bytes(string): bytes', (args, budget) => {
    budget.spendText(text(args, 0).length)
    return new Uint8Array(Buffer.from(text(args, 0)))
  }),
  define('bool(bool): bool', same),
  define('bool(string): bool', (args) => {
    const value = text(args, 0)
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
    throw failedConversion('string', 'bool')
  }),
  define('timestamp(timestamp): timestamp', same),
  define('timestamp(string): timestamp', (args) => {
    const nanos = parseTimestamp(text(args, 0))
    if (nanos === undefined) throw failedConversion('string', 'google.protobuf.Timestamp')
    return { kind: 'timestamp', nanos }
  }),
  define('timestamp(int): timestamp', (args) => {
    const seconds = int(args, 0)
    if (seconds < FIRST || seconds > LAST) throw new CelError('timestamp overflow')
    return { kind: 'timestamp', nanos: seconds * SECOND }
  }),
  define('duration(duration): duration', same),
  define('duration(string): duration', (args) => {
    const nanos = parseDuration(text(args, 0))
    if (nanos === undefined) throw failedConversion('string', 'google.protobuf.Duration')
    return { kind: 'duration', nanos }
  }),
  define('duration(int): duration', (args) => ({ kind: 'duration', nanos: ranged(int(args, 0)) })),
]

export function typeName(value: CelValue): string {
  if (value === null) return 'null_type'
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  if (typeof value === 'boolean') return 'bool'
  if (!isBoxed(value)) return 'string'
  if (value.kind === 'object') return value.type.name
  if (value.kind === 'timestamp') return 'google.protobuf.Timestamp'
  if (value.kind === 'duration') return 'google.protobuf.Duration'
  return value.kind === 'optional' ? 'optional_type' : value.kind
}

function truncated(value: CelValue | undefined): bigint {
  if (typeof value !== 'number') return mismatch()
  if (!Number.isFinite(value)) throw new CelError('integer overflow')
  return BigInt(Math.trunc(value))
}

function parsed(value: string, type: string): bigint {
  if (!/^[+-]?\d{1,20}$/.test(value)) throw failedConversion('string', type)
  return BigInt(value.replace(/^\+/, ''))
}

function uint(value: bigint): CelValue {
  if (value < 0n || value > MOST_UINT) throw new CelError('unsigned integer overflow')
  return { kind: 'uint', value }
}

function failedConversion(from: string, to: string): CelError {
  return new CelError(`type conversion error from '${from}' to '${to}'`)
}
