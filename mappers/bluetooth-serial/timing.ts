import { hasSpeed, type SerialDevice } from './device-config.ts'
import { planExchanges, type SerialVisit } from './exchanges.ts'

/** Between the answer of one request and the next nothing takes longer than this, in ms. */
const SLACK = 200
/** So often the line is waited for to be quiet, where an answer may be late. */
export const MOST_TURNS = 5

/** Long enough for every request of the call to time out as often as it is repeated. */
export function deadline(device: SerialDevice, visits: readonly SerialVisit[]): number {
  const asked = new Set(visits.map(({ visitor }) => visitor.request?.text)).size
  const written = visits.filter(({ visitor }) => visitor.write).length
  const once = device.timeout + device.gap + device.drain * MOST_TURNS + SLACK
  return once * Math.max(1, asked * (device.retries + 1), written)
}

/** Known where every answer has the same length. Bluetooth and TCP have no speed. */
export function busTime(visits: readonly SerialVisit[]): number | undefined {
  let time = 0
  for (const { device, frame } of exchangesOf(visits)) {
    const { framing, baudRate, dataBits, parity, stopBits, gap } = device
    if (framing.kind !== 'fixed' || !hasSpeed(device)) return undefined
    const bits = 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits
    const bytes = frame.length + framing.start.length + framing.length
    time += (bytes * bits * 1000) / baudRate + gap
  }
  return time
}

function exchangesOf(visits: readonly SerialVisit[]) {
  try {
    return planExchanges(visits)
  } catch {
    // What cannot be asked takes no time; reading says why.
    return []
  }
}
