import type { DeviceConfig } from './device-config.ts'
import { type Exchange, exchangeMs, readExchange, silenceMs } from './line-time.ts'
import { planReads, requestsOf } from './plan.ts'
import { isBitTable } from './tables.ts'
import type { ModbusVisit } from './visit.ts'

/** How long reading these visits keeps the line, ms; undefined where nothing is known about the way to the device. */
export function busTime(visits: readonly ModbusVisit[]): number | undefined {
  let sum = 0
  for (const block of planReads(visits).blocks) {
    for (const { length } of requestsOf(block)) {
      const time = requestMs(block.device, readExchange(length, isBitTable(block.table)))
      if (time === undefined) return undefined
      sum += time
    }
  }
  return sum
}

/**
 * How long one call for these visits may take: every request as long as its time-out allows, once more for the bisection of
 * requests that are refused, and the time on the line of each visit by itself. Silence ends a call at the first time-out, so
 * that this is only used up by a device that is slow in everything.
 */
export function deadline(device: DeviceConfig, visits: readonly ModbusVisit[]): number {
  const requests = planReads(visits).blocks.reduce((count, block) => count + requestsOf(block).length, 0)
  let line = 0
  for (const visit of visits) line += device.pause + (busTime([visit]) ?? 0)
  return Math.ceil((2 * requests + 1) * device.timeout + 2 * line)
}

/** One exchange with the device, until the next may begin. */
function requestMs(device: DeviceConfig, exchange: Exchange): number | undefined {
  const { line, turnaround, pause } = device
  if (line) return exchangeMs(line, exchange, turnaround) + Math.max(0, pause - silenceMs(line))
  return turnaround > 0 ? turnaround + pause : undefined
}
