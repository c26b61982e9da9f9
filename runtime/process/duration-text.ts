import { ConfigError } from '../../platform/lifecycle/index.ts'
import { type Duration, ms } from '../../platform/time/index.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `5m`, `24h`, `7d`, `500ms`; a bare number means seconds. */
export function parseDuration(text: string): Duration {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim())
  const unit = UNITS[match?.[2] ?? 's']
  if (!match || unit === undefined) {
    throw new ConfigError(`"${text}" is not a duration: write it as 30s, 5m or 24h`, {
      code: 'PROCESS_DURATION_INVALID',
    })
  }
  return ms(Number(match[1]) * unit)
}

/** `3 s`, `5 min`, `2 h`, `4 d`: how long ago, for people. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 120_000) return `${Math.max(0, Math.round(milliseconds / 1000))} s`
  if (milliseconds < 7_200_000) return `${Math.round(milliseconds / 60_000)} min`
  if (milliseconds < 172_800_000) return `${Math.round(milliseconds / 3_600_000)} h`
  return `${Math.round(milliseconds / 86_400_000)} d`
}
