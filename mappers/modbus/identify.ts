import { ModbusException, NoAnswer, WrongAnswer } from './exception.ts'
import type { Target, Wire } from './wire.ts'

/** What a unit says of itself; nothing of it is sure to be there. */
export interface Identity {
  readonly vendor?: string
  readonly product?: string
  readonly revision?: string
  /** Where it only has function 17: what that says, as text or in hexadecimal. */
  readonly serverId?: string
}

/** Modbus application protocol V1.1b3, 6.21: basic identification. */
const NAMES = ['vendor', 'product', 'revision'] as const
/** A unit that has more to say each time would never end. */
const MOST_PIECES = 8
/** Of a value, as text. */
const LONGEST = 100

/** Functions 43/14 and 17. Rejects only when the link is lost or the signal aborts: a unit may know neither. */
export async function identify(wire: Wire, target: Target, signal: AbortSignal): Promise<Identity> {
  const identity = await unlessRefused(() => identification(wire, target, signal))
  if (identity && Object.keys(identity).length > 0) return identity
  const id = await unlessRefused(() => wire.ask(target, Uint8Array.of(17), signal))
  return id ? { serverId: shown(id.subarray(2)) } : {}
}

async function identification(wire: Wire, target: Target, signal: AbortSignal): Promise<Identity> {
  const found: Record<string, string> = {}
  let next = 0
  for (let piece = 0; piece < MOST_PIECES; piece++) {
    // Function, type of message, basic identification, first object.
    const answer = await wire.ask(target, Uint8Array.of(43, 14, 1, next), signal)
    for (const { id, value } of objectsOf(answer)) {
      const name = NAMES[id]
      if (name) found[name] = shown(value)
    }
    const [, , , , isMore = 0, following = 0] = answer
    if (isMore !== 0xff || following <= next) break
    next = following
  }
  return found
}

function* objectsOf(answer: Uint8Array): Iterable<{ readonly id: number; readonly value: Uint8Array }> {
  let at = 7
  for (let left = answer[6] ?? 0; left > 0 && at + 2 <= answer.length; left--) {
    const length = answer[at + 1] ?? 0
    yield { id: answer[at] ?? 0, value: answer.subarray(at + 2, at + 2 + length) }
    at += 2 + length
  }
}

/** Text, or hexadecimal where it is none. */
function shown(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').replace(/\0+$/, '').trim()
  return (/^[\x20-\x7e]+$/.test(text) ? text : `0x${Buffer.from(bytes).toString('hex')}`).slice(0, LONGEST)
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ModbusException || error instanceof WrongAnswer || error instanceof NoAnswer) return undefined
    throw error
  }
}
