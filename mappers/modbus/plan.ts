import type { DeviceConfig } from './device-config.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type Lessons, noLessons } from './learned.ts'
import { isBitTable, type Table } from './tables.ts'
import { type ModbusVisit, placeOf } from './visit.ts'

/** A stretch of one table of one unit that is read in one go, and the visits it serves. */
export interface Block {
  readonly device: DeviceConfig
  readonly table: Table
  readonly start: number
  /** Beyond what one request may ask for only where a single visit is. */
  readonly length: number
  readonly visits: readonly PlannedVisit[]
}
export interface PlannedVisit {
  readonly visit: ModbusVisit
  readonly layout: Layout
  readonly place: string
}

export interface Plan {
  readonly blocks: readonly Block[]
  /** Visits that are known to fail and are not asked for just now. */
  readonly failures: readonly { readonly visit: ModbusVisit; readonly error: Error }[]
}

/**
 * The fewest requests that read these visits: touching and overlapping stretches become one, and those with a gap that the
 * device allows. What has been learned about it is respected.
 */
export function planReads(visits: readonly ModbusVisit[], lessons: Lessons = noLessons): Plan {
  const blocks: Block[] = []
  const failures: { visit: ModbusVisit; error: Error }[] = []
  let open: OpenBlock | undefined
  const close = () => {
    if (open) blocks.push(open.close())
    open = undefined
  }
  for (const planned of sorted(visits)) {
    const error = lessons.failureOf(planned.place)
    const isAlone = lessons.isOnProbation(planned.place)
    // Nothing is read across a bad place: it would be refused too.
    if (error || isAlone || lessons.isCut(planned.place) || !open?.take(planned)) close()
    if (error) failures.push({ visit: planned.visit, error })
    else open ??= new OpenBlock(planned)
    if (isAlone) close()
  }
  close()
  return { blocks, failures }
}

/** A block that was refused, as two. Gaps are what a refusal is most likely about, so it is parted at the widest. */
export function splitBlock(block: Block): readonly [Block, Block] | undefined {
  const { visits } = block
  let at = Math.ceil(visits.length / 2)
  let widest = 0
  let end = 0
  for (const [index, { visit, layout }] of visits.entries()) {
    const gap = index === 0 ? 0 : visit.visitor.offset - end
    if (gap > widest) [at, widest] = [index, gap]
    end = Math.max(end, visit.visitor.offset + layout.length)
  }
  const first = blockOf(block, visits.slice(0, at))
  const second = blockOf(block, visits.slice(at))
  return first && second ? [first, second] : undefined
}

/** The requests that read a block: more than one only where a single visit is longer than the device allows. */
export function requestsOf({ device, table, start, length }: Block): readonly { start: number; length: number }[] {
  const most = mostOf(device, table)
  if (length <= most) return [{ start, length }]
  return Array.from({ length: Math.ceil(length / most) }, (_, index) => ({
    start: start + index * most,
    length: Math.min(most, length - index * most),
  }))
}

/** Modbus application protocol V1.1b3, 6.1 to 6.4, and what the device allows of it. */
function mostOf(device: DeviceConfig, table: Table): number {
  return isBitTable(table) ? device.maxBits : device.maxRegisters
}

function blockOf({ device, table }: Block, visits: readonly PlannedVisit[]): Block | undefined {
  const [first] = visits
  if (!first) return undefined
  const start = first.visit.visitor.offset
  const end = Math.max(...visits.map(({ visit, layout }) => visit.visitor.offset + layout.length))
  return { device, table, start, length: end - start, visits }
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
    const own = this.#first.device
    if (device.unitId !== own.unitId || visitor.register !== this.#first.visitor.register) return false
    const start = this.#first.visitor.offset
    const gap = Math.min(device.maxGap, own.maxGap) * (isBitTable(visitor.register) ? 16 : 1)
    if (visitor.offset > start + this.#length + gap) return false
    const length = Math.max(this.#length, visitor.offset + planned.layout.length - start)
    if (length > Math.min(mostOf(device, visitor.register), mostOf(own, visitor.register))) return false
    this.#length = length
    this.#visits.push(planned)
    return true
  }

  close(): Block {
    const { device, visitor } = this.#first
    return { device, table: visitor.register, start: visitor.offset, length: this.#length, visits: this.#visits }
  }
}

function sorted(visits: readonly ModbusVisit[]): readonly PlannedVisit[] {
  const planned: PlannedVisit[] = []
  for (const visit of visits) {
    const found = layoutOf(visit.property, visit.visitor)
    // What has no layout was rejected at admission and cannot be asked for.
    if (found.ok) planned.push({ visit, layout: found.layout, place: placeOf(visit, found.layout.length) })
  }
  return planned.sort(
    ({ visit: a }, { visit: b }) =>
      a.device.unitId - b.device.unitId ||
      (a.visitor.register < b.visitor.register ? -1 : a.visitor.register > b.visitor.register ? 1 : 0) ||
      a.visitor.offset - b.visitor.offset,
  )
}
