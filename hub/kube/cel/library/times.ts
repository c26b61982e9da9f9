import { CelError } from '../errors.ts'
import { boxed, text } from './arguments.ts'
import { define, type Overload } from './signature.ts'
import { parts } from './time-text.ts'

const SECOND = 1_000_000_000n
const DAY_MS = 86_400_000

/** Parts of points in time, in UTC or in a named zone, and of durations. Months and days of the year count from 0. */
export const TIMES: readonly Overload[] = [
  ...part('getFullYear', (date) => date.getUTCFullYear()),
  ...part('getMonth', (date) => date.getUTCMonth()),
  ...part('getDate', (date) => date.getUTCDate()),
  ...part('getDayOfMonth', (date) => date.getUTCDate() - 1),
  ...part('getDayOfWeek', (date) => date.getUTCDay()),
  ...part('getDayOfYear', (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS)),
  ...part('getHours', (date) => date.getUTCHours()),
  ...part('getMinutes', (date) => date.getUTCMinutes()),
  ...part('getSeconds', (date) => date.getUTCSeconds()),
  ...part('getMilliseconds', (date) => date.getUTCMilliseconds()),
  define('duration -> getHours(): int', (args) => boxed(args, 0, 'duration').nanos / (3600n * SECOND)),
  define('duration -> getMinutes(): int', (args) => boxed(args, 0, 'duration').nanos / (60n * SECOND)),
  define('duration -> getSeconds(): int', (args) => boxed(args, 0, 'duration').nanos / SECOND),
  define('duration -> getMilliseconds(): int', (args) => boxed(args, 0, 'duration').nanos / 1_000_000n),
]

function part(name: string, of: (date: Date) => number): readonly Overload[] {
  return [
    define(`timestamp -> ${name}(): int`, (args) => BigInt(of(dateOf(boxed(args, 0, 'timestamp').nanos)))),
    define(`timestamp -> ${name}(string): int`, (args) =>
      BigInt(of(shifted(dateOf(boxed(args, 0, 'timestamp').nanos), text(args, 1)))),
    ),
  ]
}

function dateOf(nanos: bigint): Date {
  const { seconds, rest } = parts(nanos)
  return new Date(Number(seconds) * 1000 + Number(rest / 1_000_000n))
}

/** The same moment, with the fields that a clock of the zone shows. */
function shifted(date: Date, zone: string): Date {
  const [, sign = '', hours = '', minutes = ''] = /^([+-]?)(\d{1,2}):(\d\d)$/.exec(zone) ?? []
  if (hours !== '') {
    const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
    return new Date(date.getTime() + (sign === '-' ? -offset : offset))
  }
  return new Date(date.getTime() + offsetOf(date, zone))
}

function offsetOf(date: Date, zone: string): number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone === '' ? 'UTC' : zone, timeZoneName: 'longOffset' })
  } catch (error) {
    if (error instanceof RangeError) throw new CelError(`unknown time zone ${zone}`)
    throw error
  }
  const name = format.formatToParts(date).find((each) => each.type === 'timeZoneName')?.value ?? ''
  const [, sign = '', hours = '0', minutes = '0', seconds = '0'] = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? []
  const offset = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  return sign === '-' ? -offset : offset
}
