import type { Visit } from '../contract/index.ts'
import { isBitTable, type Layout, layoutOf } from './codec.ts'
import type { DeviceConfig, Table, VisitorConfig } from './config.ts'

export type ModbusVisit = Visit<DeviceConfig, VisitorConfig>

/** One request: a stretch of one table of one unit, and the visits it serves. */
export interface Block {
  readonly unitId: number
  readonly table: Table
  readonly start: number
  readonly length: number
  readonly visits: readonly PlannedVisit[]
}
export interface PlannedVisit {
  readonly visit: ModbusVisit
  readonly layout: Layout
}

/** Modbus application protocol V1.1b3, 6.1 to 6.4: most of one request. */
export const MOST_REGISTERS = 125
export const MOST_BITS = 2000

/** Names the stretch of a visit, for `alone`. */
export function placeOf({ device, visitor }: ModbusVisit): string {
  return `${device.unitId}/${visitor.register}/${visitor.offset}`
}

/**
 * The fewest requests that read these visits: touching and overlapping stretches become one, gaps are never read. Visits
 * whose place is in `alone` are read by themselves, because the device has refused a request that contained them.
 */
export function planBlocks(visits: readonly ModbusVisit[], alone: ReadonlySet<string> = new Set()): readonly Block[] {
  const blocks: Block[] = []
  let open: OpenBlock | undefined
  for (const planned of sorted(visits)) {
    const single = alone.has(placeOf(planned.visit))
    if (open && !single && open.take(planned)) continue
    if (open) blocks.push(open.close())
    open = new OpenBlock(planned)
    if (single) {
      blocks.push(open.close())
      open = undefined
    }
  }
  if (open) blocks.push(open.close())
  return blocks
}

class OpenBlock {
  readonly #first: ModbusVisit
  readonly #visits: PlannedVisit[]
  #length: number

  constructor(first: PlannedVisit) {
    this.#first = first.visit
    this.#visits = [first]
    this.#length = first.layout.length
  }

  take(planned: PlannedVisit): boolean {
    const { device, visitor } = planned.visit
    if (device.unitId !== this.#first.device.unitId || visitor.register !== this.#first.visitor.register) return false
    const start = this.#first.visitor.offset
    if (visitor.offset > start + this.#length) return false
    const length = Math.max(this.#length, visitor.offset + planned.layout.length - start)
    if (length > (isBitTable(visitor) ? MOST_BITS : MOST_REGISTERS)) return false
    this.#length = length
    this.#visits.push(planned)
    return true
  }

  close(): Block {
    const { device, visitor } = this.#first
    return {
      unitId: device.unitId,
      table: visitor.register,
      start: visitor.offset,
      length: this.#length,
      visits: this.#visits,
    }
  }
}

function sorted(visits: readonly ModbusVisit[]): readonly PlannedVisit[] {
  const planned: PlannedVisit[] = []
  for (const visit of visits) {
    const found = layoutOf(visit.property, visit.visitor)
    // What has no layout was rejected at admission and cannot be asked for.
    if (found.ok) planned.push({ visit, layout: found.layout })
  }
  return planned.sort(
    ({ visit: a }, { visit: b }) =>
      a.device.unitId - b.device.unitId ||
      (a.visitor.register < b.visitor.register ? -1 : a.visitor.register > b.visitor.register ? 1 : 0) ||
      a.visitor.offset - b.visitor.offset,
  )
}
