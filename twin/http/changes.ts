import type { Bus } from '../../platform/bus/index.ts'
import { DeadlineError, minutes, ms } from '../../platform/time/index.ts'
import {
  CALL_TIMEOUT_MS,
  type CallResult,
  callDevice,
  type DeviceId,
  decodePlainArguments,
  hasPlainTopic,
  type PlainValue,
  plainCallTopic,
  plainSetTopic,
  setDesired,
  twins,
} from '../../schemas/index.ts'
import { propertyOf, typeOf } from '../model/property.ts'
import { type Caller, forbidden } from './caller.ts'
import { problem } from './problem.ts'

/** Most properties in one change. */
const MOST_VALUES = 256
/** A disk may be slow, and what is asked then is not undone. */
const STORED_WITHIN = minutes(1)
/** For the answer to come back from the mapper. */
const TRAVEL_MS = 2000
const UTF8 = new TextDecoder('utf-8', { fatal: true })

export interface Body {
  /** Media type without parameters, in small letters. */
  readonly type: string
  readonly bytes: Buffer
}

export interface DesiredNow {
  readonly device: DeviceId
  readonly desired: Readonly<Record<string, PlainValue>>
}

/** The value of one property: `{"value": 5}`, or the bare value as a text or as bytes, as on MQTT. */
export function oneValue(
  bus: Bus,
  id: DeviceId,
  name: string,
  { type, bytes }: Body,
): Readonly<Record<string, string>> {
  switch (type) {
    case 'application/json': {
      const body = parseJson(bytes)
      if (!isObject(body) || !('value' in body)) throw problem(400, 'the body is not an object with a key value')
      return named(name, textOf('value', body['value']))
    }
    case 'text/plain':
      return named(name, decoded(bytes))
    case 'application/octet-stream': {
      const twin = bus.get(twins, id)
      const property = twin && propertyOf(twin, name)
      return named(name, property && typeOf(property) === 'BYTES' ? bytes.toString('base64') : decoded(bytes))
    }
    default:
      throw wrongType('application/json, text/plain or application/octet-stream')
  }
}

/** The values of several: `{"speed": 5, "mode": "auto"}`. */
export function severalValues({ type, bytes }: Body): Readonly<Record<string, string>> {
  if (type !== 'application/json' && type !== 'application/merge-patch+json') throw wrongType('application/json')
  const body = parseJson(bytes)
  if (!isObject(body)) throw problem(400, 'the body is not an object of values by name of property')
  const entries = Object.entries(body)
  if (entries.length === 0) throw problem(400, 'the body names no property')
  if (entries.length > MOST_VALUES) throw problem(400, `the body names more than ${MOST_VALUES} properties`)
  return Object.fromEntries(entries.map(([name, value]) => [refuseName(name), textOf(name, value)]))
}

/** Settles when the values are on disk. */
export async function changeDesired(
  bus: Bus,
  caller: Caller,
  id: DeviceId,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<DesiredNow> {
  for (const name of Object.keys(values)) {
    const refusal = caller.rights.refusePublish(plainSetTopic(id, name))
    if (refusal !== undefined) throw forbidden(caller, `${id}/${name} is not yours to set: ${refusal}`)
  }
  const author = caller.user === undefined ? 'http' : `user:${caller.user}`
  const answer = await inTime(
    bus.request(setDesired, { id, values, author }, { deadline: STORED_WITHIN, signal }),
    'the values were not stored in time; they may be yet: read them again',
  )
  if (!answer.ok) throw problem(answer.code === 500 ? 503 : answer.code, answer.reason)
  return { device: id, desired: answer.values }
}

/** Settles with what the device answers. Made at most once. */
export async function callMethod(
  bus: Bus,
  caller: Caller,
  call: { readonly id: DeviceId; readonly method: string; readonly timeout: number; readonly body: Body },
  signal: AbortSignal,
): Promise<{ readonly results: Readonly<Record<string, CallResult>> }> {
  const { id, method, timeout, body } = call
  const refusal = caller.rights.refusePublish(plainCallTopic(id, refuseName(method)))
  if (refusal !== undefined) throw forbidden(caller, `${id}/${method} is not yours to call: ${refusal}`)
  if (body.bytes.length > 0 && body.type !== 'application/json') throw wrongType('application/json')
  const given = decodePlainArguments(body.bytes)
  if (typeof given === 'string') throw problem(400, given)
  const deadline = ms(timeout + TRAVEL_MS)
  const answer = await inTime(
    bus.request(callDevice, { id, method, arguments: given, timeout }, { deadline, signal }),
    `no answer within ${timeout} ms; the device may have acted`,
  )
  if (answer.ok) return { results: answer.results }
  const { code, reason, results } = answer
  throw problem(code, reason, results ? { extra: { results } } : {})
}

/** ms. */
export function timeoutOf(text: string | null): number {
  const timeout = text === null ? CALL_TIMEOUT_MS.usual : Number(text)
  if (Number.isInteger(timeout) && timeout >= 1 && timeout <= CALL_TIMEOUT_MS.most) return timeout
  throw problem(400, `timeout is not a number of milliseconds from 1 to ${CALL_TIMEOUT_MS.most}`)
}

async function inTime<T>(answer: Promise<T>, late: string): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof DeadlineError ? problem(504, late) : error
  }
}

function named(name: string, text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([[refuseName(name), text]])
}

function refuseName(name: string): string {
  if (!hasPlainTopic(name) || name === '__proto__') throw problem(400, 'a name is empty, too long, or no name at all')
  return name
}

/** JSON has one kind of number, and this side of it loses digits. */
function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') throw problem(400, `${name} is not a string, number or boolean`)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw problem(400, `${name} has more digits than a JSON number keeps: write it as a string`)
  }
  return String(value)
}

function parseJson(bytes: Buffer): unknown {
  const text = decoded(bytes)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw problem(400, `the body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : ''}`)
  }
}

function decoded(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw problem(400, 'the body is not UTF-8')
  }
}

function wrongType(allowed: string) {
  return problem(415, `the content type has to be ${allowed}`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
