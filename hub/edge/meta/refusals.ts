import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import { nodeConditions } from '../../../schemas/index.ts'
import { OCCASIONAL } from '../node/conditions.ts'

/** Names kept of them; more only count. */
const MOST_NAMED = 1000
const NAMED = 3

/** Changes of the cloud that this node did not take: counted, and where an object is too much for it, told as a condition of the Node. */
export class Refusals {
  readonly #bus: Bus
  readonly #applied: (outcome: string) => void
  readonly #counts: Record<string, number> = {}
  /** Objects beyond the bounds, with what was said of them. */
  readonly #beyond = new Map<string, string>()

  constructor({ bus, metrics = silentMetrics }: { readonly bus: Bus; readonly metrics?: Metrics }) {
    this.#bus = bus
    const counter = metrics.counter({
      name: 'skerry_metamanager_changes_total',
      help: 'Changes from the cloud, by outcome.',
      labels: ['outcome'],
    })
    this.#applied = (outcome) => counter.add(1, { outcome })
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  applied(outcome: 'stored' | 'removed'): void {
    this.#applied(outcome)
  }

  /** `refused`: not understood. `failed`: the disk did not take it. `beyond`: more than this node takes. */
  note(key: string, failure: 'refused' | { readonly error: unknown }): void {
    const outcome = failure === 'refused' ? 'refused' : isBeyond(failure.error) ? 'beyond' : 'failed'
    this.#applied(outcome)
    this.#counts[outcome] = (this.#counts[outcome] ?? 0) + 1
    if (failure === 'refused' || !isBeyond(failure.error) || this.#beyond.size >= MOST_NAMED) return
    this.#beyond.set(key, failure.error.message)
    this.#show()
  }

  /** The object was taken, or went. */
  settled(key: string): void {
    if (this.#beyond.delete(key)) this.#show()
  }

  #show(): void {
    const [first] = this.#beyond.values()
    if (first === undefined) {
      this.#bus.remove(nodeConditions, OCCASIONAL.objectsRefused)
      return
    }
    const names = [...this.#beyond.keys()].slice(0, NAMED).join(', ')
    const more = this.#beyond.size > NAMED ? ` and ${this.#beyond.size - NAMED} more` : ''
    this.#bus.set(nodeConditions, OCCASIONAL.objectsRefused, {
      status: 'True',
      reason: 'BeyondBounds',
      message: `This node does not take ${names}${more}: ${first}`,
    })
  }
}

function isBeyond(error: unknown): error is SkerryError {
  return error instanceof SkerryError && (error.code === 'HUB_OBJECT_TOO_LARGE' || error.code === 'HUB_OBJECTS_FULL')
}
