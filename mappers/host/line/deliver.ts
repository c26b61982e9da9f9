import type { PropertyReading } from '../../../schemas/index.ts'
import type { Outcome, Reading, VisitId } from '../../contract/index.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'

/** Brings what was read to the twin, one report per device; returns how many visits failed. */
export function deliver(
  properties: readonly ServedProperty[],
  results: ReadonlyMap<VisitId, Outcome<Reading>>,
  reporter: Pick<Reporter, 'report'>,
): number {
  const byDevice = new Map<ServedDevice, Delivery>()
  for (const property of properties) {
    const outcome = results.get(property.id)
    if (!outcome) continue
    const { device } = property
    const delivery: Delivery = byDevice.get(device) ?? { read: [], news: [], failed: 0 }
    if (delivery.read.length === 0) byDevice.set(device, delivery)
    delivery.read.push(property)
    const reading = device.take(property, outcome)
    if (reading.quality === 'bad') delivery.failed++
    if (device.isNews(property, reading)) delivery.news.push(reading)
  }
  let failed = 0
  for (const [device, delivery] of byDevice) {
    failed += delivery.failed
    device.count(delivery.read, delivery.failed)
    device.judge()
    reporter.report(device.id, delivery.news)
  }
  return failed
}

/** What a driver reports by itself comes one by one. */
export function deliverOne(
  property: ServedProperty,
  outcome: Outcome<Reading>,
  reporter: Pick<Reporter, 'report'>,
): void {
  const { device } = property
  const reading = device.take(property, outcome)
  device.count([property], reading.quality === 'bad' ? 1 : 0)
  device.judge()
  if (device.isNews(property, reading)) reporter.report(device.id, [reading])
}

interface Delivery {
  readonly read: ServedProperty[]
  readonly news: PropertyReading[]
  failed: number
}
