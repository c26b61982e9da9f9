import type { DeviceConfig } from './device-config.ts'
import { type Exchange, exchangeMs, readExchange, silenceMs } from './line-time.ts'
import { type Block, planReads, requestsOf } from './plan.ts'
import { isBitTable } from './tables.ts'
import type { ModbusVisit } from './visit.ts'

/** How long reading these visits keeps the line, ms; undefined where nothing is known about the way to the device. */
export function busTime(visits: readonly ModbusVisit[]): number | undefined {
  let sum = 0
  for (const block of planReads(visits).blocks) {
    const time = blockMs(block)
    if (time === undefined) return undefined
    sum += time
  }
  return sum
}

/**
 * How long one call for these visits may take: every request as long as its time-out allows, once more for the bisection of
 * requests that are refused, and the time on the line of each visit by itself. Silence ends a call at the first time-out, so
 * that this is only used up by a device that is slow in everything.
 */
export function deadline(device: DeviceConfig, visits: readonly ModbusVisit[]): number {
  let requests = 0
  let line = 0
  for (const block of planReads(visits).blocks) {
    requests += requestsOf(block).length
    for (const { visit, layout } of block.visits) {
      const alone = { ...block, start: visit.visitor.offset, length: layout.length }
      line += requestsOf(alone).length * device.pause + (blockMs(alone) ?? 0)
    }
  }
  return Math.ceil((2 * requests + 1) * device.timeout + 2 * line)
}

function blockMs(block: Block): number | undefined {
  let sum = 0
  for (const { length } of requestsOf(block)) {
    const time = requestMs(block.device, readExchange(length, isBitTable(block.table)))
    if (time === undefined) return undefined
    sum += time
  }
  return sum
}

/** One exchange with the device, until the next may begin. */
function requestMs(device: DeviceConfig, exchange: Exchange): number | undefined {
  const { line, turnaround, pause } = device
  if (line) return exchangeMs(line, exchange, turnaround) + Math.max(0, pause - silenceMs(line))
  return turnaround > 0 ? turnaround + pause : undefined
}
