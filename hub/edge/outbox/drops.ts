import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store, StoreCall } from '../../../platform/store/index.ts'
import { type Clock, minutes, ms, seconds } from '../../../platform/time/index.ts'
import { nodeConditions } from '../../../schemas/index.ts'

/** `size`: larger than a frame may be, or than all messages together. `refused`: the cloud does not want it. */
export type DropReason = 'count' | 'bytes' | 'age' | 'size' | 'refused'

/** Whose drops they are, and how they are told. */
export interface DropsKind {
  /** Store domain with statements `dropped` and `setDropped`. */
  readonly domain: string
  readonly metric: string
  readonly help: string
  /** Counter of copies. */
  readonly copies: { readonly name: string; readonly help: string }
  /** Type of the condition of the Node by which the cloud hears of them. */
  readonly condition: string
  /** In the plural, as the beginning of a sentence. */
  readonly what: string
}

export interface OutboxDropsPorts {
  readonly store: Store
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

/** What is dropped is said so often at most. */
const SAY_EVERY = seconds(60)
/** So long after the last one the condition of the Node says that it is over. */
const OVER_AFTER = minutes(60)

/**
 * What the bounds of what waits for the cloud cost: counted for ever on disk, in the metrics and the log, and told to the cloud as a
 * condition of the Node, which a KubeEdge cloud understands as well.
 */
export class OutboxDrops {
  readonly #ports: OutboxDropsPorts
  readonly #kind: DropsKind
  readonly #count: (reason: DropReason, count: number) => void
  readonly #countCopies: (count: number) => void
  /** Since the database was made. */
  readonly #totals = new Map<string, number>()
  readonly #unwritten = new Set<string>()
  /** Not said yet. */
  readonly #news = new Map<DropReason, number>()
  #saidAt = Number.NEGATIVE_INFINITY
  /** Not said yet. */
  #copies = 0
  #copiesSaidAt = Number.NEGATIVE_INFINITY
  /** Until it may be said again. */
  #saying: Disposable | undefined
  /** Until it is over. */
  #ending: Disposable | undefined

  constructor(ports: OutboxDropsPorts, kind: DropsKind) {
    this.#ports = ports
    this.#kind = kind
    const metrics = ports.metrics ?? silentMetrics
    const copies = metrics.counter(kind.copies)
    this.#countCopies = (count) => copies.add(count)
    const dropped = metrics.counter({
      name: kind.metric,
      help: kind.help,
      labels: ['reason'],
    })
    this.#count = (reason, count) => dropped.add(count, { reason })
  }

  async open(): Promise<void> {
    this.#totals.clear()
    for (const row of await this.#ports.store.read({ statement: `${this.#kind.domain}.dropped`, parameters: [] })) {
      this.#totals.set(String(row['reason']), Number(row['count']))
    }
    // What the cloud was told before a restart would stand there for ever.
    if (this.#totals.size > 0) this.#showOver()
  }

  get totals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#totals)
  }

  /** `copy`: of what the cloud has taken. It is no loss, and no condition of the Node: it is counted, and named in the log. */
  note(reason: DropReason | 'copy', count: number): void {
    if (reason === 'copy') this.#noteCopies(count)
    else this.#noteDrops(reason, count)
  }

  #noteCopies(count: number): void {
    this.#countCopies(count)
    this.#copies += count
    const now = this.#ports.clock.monotonic()
    if (now < this.#copiesSaidAt + SAY_EVERY.milliseconds) return
    this.#copiesSaidAt = now
    this.#ports.log.warn(`${this.#kind.what} wait in the cloud for their targets, and are not kept here any more`, {
      copies: this.#copies,
    })
    this.#copies = 0
  }

  #noteDrops(reason: DropReason, count: number): void {
    this.#count(reason, count)
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + count)
    this.#unwritten.add(reason)
    this.#news.set(reason, (this.#news.get(reason) ?? 0) + count)
    this.#say()
  }

  /** What has to go with the next write; `kept` when it is on disk. */
  calls(): readonly StoreCall[] {
    return [...this.#unwritten].map((reason) => ({
      statement: `${this.#kind.domain}.setDropped`,
      parameters: [reason, this.#totals.get(reason) ?? 0],
    }))
  }

  kept(calls: readonly StoreCall[]): void {
    for (const { parameters } of calls) {
      const [reason, count] = parameters
      if (typeof reason === 'string' && this.#totals.get(reason) === count) this.#unwritten.delete(reason)
    }
  }

  [Symbol.dispose](): void {
    this.#saying?.[Symbol.dispose]()
    this.#saying = undefined
    this.#ending?.[Symbol.dispose]()
  }

  #say(): void {
    const { clock, log } = this.#ports
    const wait = this.#saidAt + SAY_EVERY.milliseconds - clock.monotonic()
    if (wait > 0) {
      this.#saying ??= clock.after(ms(wait), () => {
        this.#saying = undefined
        this.#say()
      })
      return
    }
    this.#saidAt = clock.monotonic()
    log.warn(`${this.#kind.what} to the cloud were dropped`, Object.fromEntries(this.#news))
    this.#news.clear()
    this.#show('True', 'Dropping', `${this.#kind.what} were dropped: ${this.#text()}`)
    this.#ending?.[Symbol.dispose]()
    this.#ending = clock.after(OVER_AFTER, () => this.#showOver())
  }

  #showOver(): void {
    this.#show('False', 'NoneRecently', `${this.#kind.what} were dropped earlier: ${this.#text()}`)
  }

  #show(status: 'True' | 'False', reason: string, message: string): void {
    this.#ports.bus.set(nodeConditions, this.#kind.condition, { status, reason, message })
  }

  #text(): string {
    const parts = [...this.#totals].map(([reason, count]) => `${count} by ${reason}`)
    return `${parts.join(', ')}, since this node was set up`
  }
}
