import type { Json } from '../../../schemas/index.ts'

const DAY = 24

/** Time since an RFC 3339 text as kubectl shows ages (`2m5s`, `3d4h`). The server writes ages: kubectl prints cells as they are. */
export function ageOf(time: Json | undefined, now: number): string {
  if (typeof time !== 'string' || time === '') return '<unknown>'
  const since = Date.parse(time)
  return Number.isNaN(since) ? '<invalid>' : humanDuration(now - since)
}

/** `milliseconds` with the two figures that matter. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 2 * DAY) return `${hours}h`
  const days = Math.trunc(hours / DAY)
  if (hours < 8 * DAY) return two(days, 'd', hours % DAY, 'h')
  if (days < 2 * 365) return `${days}d`
  const years = Math.trunc(days / 365)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}
