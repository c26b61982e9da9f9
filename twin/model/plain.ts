import {
  type Conflict,
  type ConflictingWish,
  type PlainConflict,
  type PlainProperty,
  type PlainTwin,
  type PlainValue,
  type PlainWish,
  parseValue,
  splitDeviceId,
  type Twin,
  type TwinProperty,
} from '../../schemas/index.ts'
import { typeOf } from './property.ts'

/** The whole twin as people and dashboards see it. */
export function plainTwin(twin: Twin): PlainTwin {
  const { id, state, stateReason, lastOnlineTime, properties } = twin
  const { namespace, name } = splitDeviceId(id)
  const seen = lastOnlineTime === undefined ? undefined : Date.parse(lastOnlineTime)
  return {
    device: id,
    namespace,
    name,
    state,
    ...(stateReason === undefined ? {} : { stateReason }),
    ...(seen === undefined || Number.isNaN(seen) ? {} : { lastOnlineTime: plainTime(seen) }),
    properties: Object.fromEntries(
      Object.entries(properties).map(([each, property]) => [each, plainProperty(property)]),
    ),
  }
}

export function plainValue(property: TwinProperty, text: string): PlainValue {
  const parsed = parseValue(typeOf(property), text)
  if (!parsed.ok) return text
  return typeof parsed.value === 'number' || typeof parsed.value === 'boolean' ? parsed.value : text
}

/** The reported value alone, BYTES as they are. Empty when there is none: MQTT cannot retain an empty message. */
export function bareValue(property: TwinProperty | undefined): string | Uint8Array {
  const text = property?.reported?.value
  if (!property || text === undefined) return ''
  return typeOf(property) === 'BYTES' ? (fromBase64(text) ?? text) : text
}

/** Whether the bare value looks the same before and after. */
export function sameBareValue(left: TwinProperty | undefined, right: TwinProperty | undefined): boolean {
  if (left === right) return true
  if ((left?.reported?.value ?? '') !== (right?.reported?.value ?? '')) return false
  return !left || !right || typeOf(left) === typeOf(right)
}

export function plainConflict(property: TwinProperty, conflict: Conflict): PlainConflict {
  const { id, winner, policy, cloud, edge } = conflict
  const wish = ({ value, timestamp, author }: ConflictingWish): PlainWish => ({
    value: plainValue(property, value),
    timestamp: plainTime(timestamp),
    author,
  })
  return { id, winner, policy, cloud: { ...wish(cloud), generation: cloud.generation }, edge: wish(edge) }
}

/** RFC 3339 UTC with milliseconds. Times that no calendar has are given as the nearest that it has. */
export function plainTime(unixMs: number): string {
  return new Date(Math.min(Math.max(unixMs, 0), LAST_TIME)).toISOString()
}

/** The end of year 9999: RFC 3339 has four digits for it. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

function plainProperty(property: TwinProperty): PlainProperty {
  const { reported, desired, type, unit, conflict, failure, unread } = property
  return {
    ...(reported ? { value: plainValue(property, reported.value) } : {}),
    ...(desired ? { desired: plainValue(property, desired.value) } : {}),
    type,
    ...(unit === undefined ? {} : { unit }),
    ...(reported
      ? {
          timestamp: plainTime(reported.timestamp),
          sourceTime: plainTime(reported.sourceTime),
          quality: reported.quality,
          ...(reported.cause === undefined ? {} : { cause: reported.cause }),
          ...(reported.stale ? { stale: true } : {}),
          ...(reported.staleSince === undefined ? {} : { staleSince: plainTime(reported.staleSince) }),
        }
      : unread
        ? { quality: 'bad', cause: unread.cause }
        : {}),
    ...(desired ? { origin: desired.origin } : {}),
    ...(desired?.author === undefined ? {} : { author: desired.author }),
    ...(conflict ? { conflict: plainConflict(property, conflict) } : {}),
    ...(failure
      ? { failure: { reason: failure.reason, message: failure.message, timestamp: plainTime(failure.timestamp) } }
      : {}),
  }
}

/** Undefined for text that is no base64: a client may have reported anything. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
