import type { DataValue, StatusCode } from 'node-opcua-client'
import type { Outcome, PropertyType, Reading } from '../../contract/index.ts'
import { fromVariant } from './from-variant.ts'

/** The two bits of a status code that say what the value is worth. OPC UA part 4, 7.39. */
const SEVERITY = 0xc000_0000
const UNCERTAIN = 0x4000_0000

/** What a server said of one node, or of the range that was asked for: a good value, a doubtful one, or why there is none. */
export function toOutcome(said: DataValue, type: PropertyType, indexRange: string | undefined): Outcome<Reading> {
  const { statusCode } = said
  const severity = severityOf(statusCode)
  if (severity !== 0 && severity !== UNCERTAIN) return failed(statusError(statusCode))
  const sourceTime = timeOf(said)
  try {
    const value = fromVariant(said.value, type, indexRange)
    return {
      ok: true,
      value: {
        value,
        ...(sourceTime === undefined ? {} : { sourceTime }),
        ...(severity === UNCERTAIN ? { quality: 'uncertain' as const } : {}),
        ...(statusCode.value === 0 ? {} : { cause: describeStatus(statusCode) }),
      },
    }
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)))
  }
}

/** When the source measured it; the server's time where the source has none. */
function timeOf({ sourceTimestamp, serverTimestamp }: DataValue): number | undefined {
  for (const time of [sourceTimestamp, serverTimestamp]) {
    // What a server without a clock sends is the year 1601.
    if (time && time.getTime() > 0) return time.getTime()
  }
  return undefined
}

export function isGood(statusCode: StatusCode): boolean {
  return severityOf(statusCode) === 0
}

export function isBad(statusCode: StatusCode): boolean {
  return severityOf(statusCode) !== 0 && severityOf(statusCode) !== UNCERTAIN
}

/** `BadSensorFailure: Sensor failure has caused the measured value to be unknown.` */
export function describeStatus({ name, description }: StatusCode): string {
  return description === '' || description === name ? name : `${name}: ${description}`
}

export function statusError(statusCode: StatusCode): Error {
  return new Error(describeStatus(statusCode))
}

export function failed(error: Error): { readonly ok: false; readonly error: Error } {
  return { ok: false, error }
}

function severityOf(statusCode: StatusCode): number {
  return (statusCode.value & SEVERITY) >>> 0
}
