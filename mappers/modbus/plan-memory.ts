import type { Learned } from './learned.ts'
import { type Plan, planReads } from './plan.ts'
import type { ModbusVisit } from './visit.ts'

interface Remembered {
  readonly visits: readonly ModbusVisit[]
  readonly version: number
  readonly plan: Plan
}

/** As many different calls of one connection are usual at most: a few cycles of a few hundred units. */
const MOST_PLANS = 1000

/** Plans of calls that come again and again with the same visits. */
export class PlanMemory {
  readonly #learned: Learned
  readonly #plans = new Map<string, Remembered>()

  constructor(learned: Learned) {
    this.#learned = learned
  }

  planOf(visits: readonly ModbusVisit[]): Plan {
    const key = `${visits[0]?.id} ${visits.length}`
    const { version } = this.#learned
    const known = this.#plans.get(key)
    if (known && known.version === version && isSame(known.visits, visits)) return known.plan
    const plan = planReads(visits, this.#learned)
    if (this.#plans.size >= MOST_PLANS) this.#plans.clear()
    this.#plans.set(key, { visits: [...visits], version, plan })
    return plan
  }
}

/** Visits are never changed: a device that was gets new ones. */
function isSame(a: readonly ModbusVisit[], b: readonly ModbusVisit[]): boolean {
  return a.length === b.length && a.every((visit, index) => visit === b[index])
}
