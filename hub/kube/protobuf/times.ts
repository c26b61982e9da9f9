import type { Json } from '../../../schemas/index.ts'
import { isJsonObject } from '../schema/json.ts'

/** RFC 3339 of a Time (whole seconds) or MicroTime message; nothing for the zero time, which is an empty message. */
export function timeText(message: Json, isMicro: boolean): string | undefined {
  if (!isJsonObject(message)) return undefined
  const seconds = Number(message['seconds'] ?? 0)
  const nanos = Number(message['nanos'] ?? 0)
  const date = new Date(seconds * 1000)
  if ((seconds === 0 && nanos === 0) || Number.isNaN(date.getTime())) return undefined
  const whole = date.toISOString().slice(0, 19)
  if (!isMicro) return `${whole}Z`
  return `${whole}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`
}

/** The message of an RFC 3339 text. */
export function timeMessage(text: string): { readonly seconds: number; readonly nanos: number } {
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? ''
  return { seconds: Math.floor(Date.parse(text) / 1000), nanos: Number(fraction.padEnd(9, '0')) }
}
