import { type Fields, fieldOf, isObject } from './fields.ts'
import { decodeActual, decodeExpected } from './sides.ts'
import type { Quality } from './twin.ts'

/** What a client asks with twin/update, decoded. */
export interface TwinUpdate {
  readonly eventId: string
  /** Null: delete. */
  readonly twin: ReadonlyMap<string, TwinChange | null>
  /** Who asks, as `mqtt:<client>`, or `user:<name>` where it has proven that. Not part of the message. */
  readonly author?: string
}

export interface TwinChange {
  readonly expected?: string
  /** Absent with `actualQuality` bad: the value could not be read, and the last one stays. */
  readonly actual?: string
  /** `actual.metadata.timestamp` (or `sourceTime`), Unix ms: when the source measured it. */
  readonly actualTime?: number
  /** Absent: good. */
  readonly actualQuality?: Exclude<Quality, 'good'>
  readonly actualCause?: string
  readonly optional?: boolean
  readonly type?: string
}

/** A request without a body of its own: twin/get, state/get, membership/get. */
export interface PlainRequest {
  readonly eventId: string
}

export interface StateUpdate {
  readonly eventId: string
  readonly state: string
}

/** `eventId` is what could be read of it, so that the answer finds its caller. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly eventId: string; readonly reason: string }

const UTF8 = new TextDecoder('utf-8', { fatal: true })
/** KubeEdge's longest name of a property. */
const LONGEST_NAME = 128
/** It stands in every answer. */
const LONGEST_EVENT_ID = 1024

/**
 * Payload of twin/update. Keys that KubeEdge knows match in any case, as its decoder does; others are ignored. Names of
 * properties keep their case. Values of any text are accepted here: their types and sizes are judged against the twin.
 */
export function decodeTwinUpdate(payload: Uint8Array): Decoded<TwinUpdate> {
  return decodeRequest(payload, (body, eventId) => {
    const twin = fieldOf(body, 'twin')
    if (!isObject(twin)) return 'twin is missing or is not an object'
    const changes = new Map<string, TwinChange | null>()
    for (const [name, change] of Object.entries(twin)) {
      const refusal = refuseName(name)
      if (refusal) return refusal
      const decoded = change === null ? null : decodeChange(name, change)
      if (typeof decoded === 'string') return decoded
      changes.set(name, decoded)
    }
    return { eventId, twin: changes }
  })
}

/** Payload of state/update. */
export function decodeStateUpdate(payload: Uint8Array): Decoded<StateUpdate> {
  return decodeRequest(payload, (body, eventId) => {
    const state = fieldOf(body, 'state')
    return typeof state === 'string' ? { eventId, state } : 'state is missing or is not a string'
  })
}

/** Payload of a get. An empty one is accepted too: it asks the same. */
export function decodePlainRequest(payload: Uint8Array): Decoded<PlainRequest> {
  if (payload.length === 0) return { ok: true, value: { eventId: '' } }
  return decodeRequest(payload, (_body, eventId) => ({ eventId }))
}

/** What all requests have in common: a JSON object with an `event_id`. `read` gives a text to refuse. */
export function decodeRequest<T>(payload: Uint8Array, read: (body: Fields, eventId: string) => T | string): Decoded<T> {
  const body = decodeObject(payload)
  if (typeof body === 'string') return { ok: false, eventId: '', reason: body }
  const given = fieldOf(body, 'event_id')
  const eventId = typeof given === 'string' ? given : ''
  if (given !== undefined && given !== null && typeof given !== 'string') {
    return { ok: false, eventId, reason: 'event_id is not a string' }
  }
  if (eventId.length > LONGEST_EVENT_ID) {
    return { ok: false, eventId: '', reason: `event_id has more than ${LONGEST_EVENT_ID} characters` }
  }
  const value = read(body, eventId)
  return typeof value === 'string' ? { ok: false, eventId, reason: value } : { ok: true, value }
}

/** The fields, or why there are none. */
export function decodeObject(payload: Uint8Array): Fields | string {
  try {
    const body: unknown = JSON.parse(UTF8.decode(payload))
    return isObject(body) ? body : 'the payload is not a JSON object'
  } catch {
    return 'the payload is not JSON in UTF-8'
  }
}

function decodeChange(name: string, change: unknown): TwinChange | string {
  if (!isObject(change)) return `twin ${name} is not an object`
  const expected = decodeExpected(fieldOf(change, 'expected') ?? undefined)
  if (expected && 'refusal' in expected) return `${name}: ${expected.refusal}`
  const actual = decodeActual(fieldOf(change, 'actual') ?? undefined)
  if ('refusal' in actual) return `${name}: ${actual.refusal}`
  const optional = fieldOf(change, 'optional') ?? undefined
  if (optional !== undefined && typeof optional !== 'boolean') return `${name}: optional is not a boolean`
  const metadata = fieldOf(change, 'metadata') ?? undefined
  if (metadata !== undefined && !isObject(metadata)) return `${name}: metadata is not an object`
  const type = metadata && (fieldOf(metadata, 'type') ?? undefined)
  if (type !== undefined && typeof type !== 'string') return `${name}: metadata.type is not a string`
  return {
    ...(expected ? { expected: expected.value } : {}),
    ...actual,
    ...(optional === undefined ? {} : { optional }),
    // An empty type is none, as an absent one.
    ...(type ? { type } : {}),
  }
}

/** Whether a property may be called so by somebody else than its Device. */
export function isTwinName(name: string): boolean {
  return refuseName(name) === undefined
}

/** Any name without control characters; `__proto__` would be no ordinary key in JSON of many languages, ours included. */
function refuseName(name: string): string | undefined {
  if (name === '' || name.length > LONGEST_NAME) return `the name of a twin must have 1 to ${LONGEST_NAME} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'the name of a twin must not have control characters'
  if (!name.isWellFormed()) return 'the name of a twin is not valid Unicode'
  return name === '__proto__' ? 'the name of a twin must not be __proto__' : undefined
}
