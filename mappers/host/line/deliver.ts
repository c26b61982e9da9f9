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
  const news = new Map<ServedDevice, PropertyReading[]>()
  let failed = 0
  for (const property of properties) {
    const outcome = results.get(property.id)
    if (!outcome) continue
    const { device } = property
    const reading = device.take(property, outcome)
    if (reading.quality === 'bad') failed++
    const readings = news.get(device) ?? []
    news.set(device, readings)
    if (device.isNews(property, reading)) readings.push(reading)
  }
  for (const [device, readings] of news) {
    device.judge()
    reporter.report(device.id, readings)
  }
  return failed
}
