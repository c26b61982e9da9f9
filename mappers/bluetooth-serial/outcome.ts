import type { Outcome, Reading } from '../contract/index.ts'
import { extract } from './codec/extract.ts'
import type { SerialVisit } from './exchanges.ts'
import { showBytes } from './framing/bytes.ts'

/** What a frame says of a property. */
export function readingOf(payload: Buffer, { visitor, property }: SerialVisit): Outcome<Reading> {
  try {
    return { ok: true, value: { value: extract(payload, visitor.place, property.type, visitor.spelling) } }
  } catch (error) {
    return failed(error)
  }
}

export function refusedBy(payload: Buffer): Outcome<never> {
  return failed(`the device refused: ${showBytes(payload)}`)
}

export function failed(reason: unknown): Outcome<never> {
  return { ok: false, error: reason instanceof Error ? reason : new Error(String(reason)) }
}
