import type { PropertyType } from '../../schemas/index.ts'
import type { Outcome, Reading } from '../contract/index.ts'
import { followPointer } from '../payload/index.ts'
import { extract } from './extract.ts'
import type { Message } from './message.ts'
import { sourceTimeOf } from './source-time.ts'
import type { VisitorConfig } from './visitor.ts'

/** What a message says of one property; undefined where it does not count. Never throws. */
export function readingOf(message: Message, type: PropertyType, visitor: VisitorConfig): Outcome<Reading> | undefined {
  if (message.isRetained && visitor.retained === 'ignore') return undefined
  // MQTT 3.1.1 §3.3.1.3: an empty retained payload takes the kept message away.
  if (message.bytes.length === 0) return { ok: false, error: new Error(`the message on ${message.topic} is empty`) }
  try {
    if (
      visitor.missing === 'ignore' &&
      visitor.pointer !== undefined &&
      followPointer(message.json, visitor.pointer) === undefined
    ) {
      return undefined
    }
    const value = extract(message, type, visitor)
    const time = sourceTimeOf(message, visitor)
    const sourceTime = typeof time === 'number' ? { sourceTime: time } : {}
    const cause = doubt(message, time, visitor)
    return {
      ok: true,
      value: { value, ...sourceTime, ...(cause === undefined ? {} : { quality: 'uncertain', cause }) },
    }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function doubt(
  message: Message,
  time: number | string | undefined,
  { retained, maxAge }: VisitorConfig,
): string | undefined {
  if (typeof time === 'string') return time
  const age = time === undefined ? undefined : message.receivedAt - time
  if (maxAge !== undefined && age !== undefined && age > maxAge) return `it was ${age} ms old when it came`
  if (!message.isRetained) return undefined
  if (retained === 'uncertain') return 'the broker had kept it, nobody knows for how long'
  return maxAge !== undefined && age === undefined ? 'the broker had kept it, and it has no time' : undefined
}
