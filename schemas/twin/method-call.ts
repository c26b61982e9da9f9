import type { CallArgument, CallRefusal, CallResult } from '../bus/device-calls.ts'
import { fieldOf, isObject } from './fields.ts'
import type { MsgHead } from './messages.ts'
import { type Decoded, decodeObject, decodeRequest } from './requests.ts'

/** What a client asks with method/call, decoded. */
export interface MethodCall {
  readonly eventId: string
  readonly method: string
  readonly arguments: Readonly<Record<string, CallArgument>>
  /** ms. */
  readonly timeout: number
}

/** Answer on method/call/result. */
export interface MsgMethodResult extends MsgHead {
  readonly method: string
  readonly results?: Readonly<Record<string, CallResult>>
  readonly code?: CallRefusal['code']
  readonly reason?: string
}

/** Answer on `twins/<namespace>/<device>/<method>/call/result`. */
export type PlainCallResult =
  | { readonly ok: true; readonly results: Readonly<Record<string, CallResult>>; readonly time: string }
  | {
      readonly ok: false
      readonly code: CallRefusal['code']
      readonly reason: string
      readonly results?: Readonly<Record<string, CallResult>>
      readonly time: string
    }

export const CALL_TIMEOUT_MS = { usual: 10_000, most: 300_000 } as const
const MOST_ARGUMENTS = 256

/** Payload of method/call. */
export function decodeMethodCall(payload: Uint8Array): Decoded<MethodCall> {
  return decodeRequest(payload, (body, eventId) => {
    const method = fieldOf(body, 'method')
    if (typeof method !== 'string' || method === '') return 'method is missing or is not a string'
    const given = argumentsOf(fieldOf(body, 'arguments') ?? {})
    if (typeof given === 'string') return given
    const timeout = timeoutOf(fieldOf(body, 'timeout') ?? CALL_TIMEOUT_MS.usual)
    if (typeof timeout === 'string') return timeout
    return { eventId, method, arguments: given, timeout }
  })
}

/** Payload of a plain call: nothing, or the arguments as a JSON object. A text says what is wrong. */
export function decodePlainArguments(payload: Uint8Array): MethodCall['arguments'] | string {
  if (payload.length === 0) return {}
  const body = decodeObject(payload)
  return typeof body === 'string' ? body : argumentsOf(body)
}

function argumentsOf(given: unknown): MethodCall['arguments'] | string {
  if (!isObject(given)) return 'arguments is not an object of values by name of property'
  const entries = Object.entries(given)
  if (entries.length > MOST_ARGUMENTS) return `arguments has more than ${MOST_ARGUMENTS} entries`
  const found = new Map<string, CallArgument>()
  for (const [name, value] of entries) {
    if (name === '__proto__') return 'an argument must not be called __proto__'
    if (!isArgument(value)) return `argument ${name} is not a string, number or boolean, or a list of them`
    found.set(name, value)
  }
  return Object.fromEntries(found)
}

function isArgument(value: unknown): value is CallArgument {
  return Array.isArray(value) ? value.length <= MOST_ARGUMENTS && value.every(isScalar) : isScalar(value)
}

function isScalar(value: unknown): value is string | number | boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  )
}

function timeoutOf(given: unknown): number | string {
  const isGood = typeof given === 'number' && given >= 1 && given <= CALL_TIMEOUT_MS.most
  return isGood ? given : `timeout is not a number of milliseconds from 1 to ${CALL_TIMEOUT_MS.most}`
}
