const SECOND = 1_000_000_000n
/** Nanoseconds of the units that Go's time package reads. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
}
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/

/** `1h30m`, `-1.5s`, as Go's time package reads it; nanoseconds. */
export function parseDuration(text: string): bigint | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.+)$/.exec(text) ?? []
  if (rest === '0') return 0n
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest) || rest.length > 100) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNITS[unit] ?? 0n
    nanos += BigInt(whole || '0') * scale
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  const signed = sign === '-' ? -nanos : nanos
  return signed === BigInt.asIntN(64, signed) ? signed : undefined
}

/** RFC 3339; nanoseconds since 1970. */
export function parseTimestamp(text: string): bigint | undefined {
  const [, whole, fraction = '', zone] = RFC3339.exec(text) ?? []
  const millis = whole === undefined ? Number.NaN : Date.parse(`${whole}${zone}`)
  if (Number.isNaN(millis)) return undefined
  return BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

export function timestampText(nanos: bigint): string {
  const { seconds, rest } = parts(nanos)
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${text}${fractionText(rest)}Z`
}

/** Seconds with what is below them, as CEL writes durations. */
export function durationText(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${fractionText(size % SECOND)}s`
}

/** Rounded down, so that `rest` is never below zero. */
export function parts(nanos: bigint): { readonly seconds: bigint; readonly rest: bigint } {
  const rest = ((nanos % SECOND) + SECOND) % SECOND
  return { seconds: (nanos - rest) / SECOND, rest }
}

function fractionText(rest: bigint): string {
  return rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
}
