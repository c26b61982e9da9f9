import type { Order, Visit } from '../contract/index.ts'
import { render } from './codec/template.ts'
import type { SerialDevice } from './device-config.ts'
import { encodeFrame } from './framing/content.ts'
import { framingKey } from './line.ts'
import type { SerialVisitor } from './visitor-config.ts'

export type SerialVisit = Visit<SerialDevice, SerialVisitor>
export type SerialOrder = Order<SerialDevice, SerialVisitor>

/** One request, and the properties that its answer tells. */
export interface Exchange {
  readonly device: SerialDevice
  readonly frame: Buffer
  readonly visits: readonly MatchedVisit[]
}

/** A visit, and the frames that it is told by. */
export interface MatchedVisit {
  readonly visit: SerialVisit
  /** Equal for visits that the same frames tell. */
  readonly key: string
  matches(payload: Buffer): boolean
}

/** Visits with equal requests to one device share an exchange; in the order in which they were asked for. */
export function planExchanges(visits: readonly SerialVisit[]): readonly Exchange[] {
  const byFrame = new Map<
    SerialDevice['framing'],
    Map<string, { device: SerialDevice; frame: Buffer; visits: MatchedVisit[] }>
  >()
  for (const visit of visits) {
    const { device, visitor } = visit
    if (!visitor.request) continue
    const frame = encodeFrame(
      render(visitor.request, { ...visitor.spelling, address: device.address }),
      device.requestFraming,
    )
    const ofFraming = byFrame.get(device.framing) ?? new Map()
    byFrame.set(device.framing, ofFraming)
    const key = `${frame.toString('latin1')} ${device.address ?? ''}`
    const exchange = ofFraming.get(key)
    if (exchange) exchange.visits.push(matched(visit))
    else ofFraming.set(key, { device, frame, visits: [matched(visit)] })
  }
  return [...byFrame.values()].flatMap((exchanges) => [...exchanges.values()])
}

export function matched(visit: SerialVisit): MatchedVisit {
  const { device, visitor } = visit
  const { match, matchAt } = visitor
  const framing = framingKey(device.framing)
  if (!match) return { visit, key: framing, matches: () => true }
  const wanted = render(match, { ...visitor.spelling, address: device.address })
  const key = `${framing} ${matchAt} ${wanted.toString('hex')}`
  return { visit, key, matches: (payload) => payload.subarray(matchAt, matchAt + wanted.length).equals(wanted) }
}
