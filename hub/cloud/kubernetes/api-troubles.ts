import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger, silentLogger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, systemClock } from '../../../platform/time/index.ts'
import { detailOfError, isUnreachable } from './errors.ts'

export interface ApiTroublesPorts {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

interface Trouble {
  readonly since: number
  readonly reason: string
  readonly end: Disposable | undefined
  /** It is over for all as soon as it is for one. */
  readonly isCommon: boolean
}

/** What an informer waits for. */
export function newsOf(kind: string, namespace?: string): string {
  return `news of ${kind}${namespace === undefined ? '' : ` in ${namespace}`}`
}

/** What the API does not do for the cloud half just now, and why: for people who wonder why nothing moves. */
export class ApiTroubles {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #troubles = new Map<string, Trouble>()
  #shown: string | undefined
  /** Told of what is waited for; undefined where the API does everything. */
  onChange: (waitsFor: string | undefined) => void = () => undefined

  constructor({ clock, log, metrics = silentMetrics }: ApiTroublesPorts = { clock: systemClock, log: silentLogger }) {
    this.#clock = clock
    this.#log = boundedLogger(log, { clock })
    metrics
      .gauge({
        name: 'skerry_kubernetes_trouble_seconds',
        help: 'How long the Kubernetes API has not done all that the cloud half asks of it; 0 while it does.',
      })
      .follow(() => this.#seconds())
  }

  /**
   * `what`: "news of Device". A trouble ends when it is answered; or after `forget`, and where the
   * API was not reached with any answer, where nobody may ask again.
   */
  failed(what: string, error: unknown, forget?: Duration): void {
    const known = this.#troubles.get(what)
    known?.end?.[Symbol.dispose]()
    const detail = detailOfError(error)
    const reason = `${describeError(error)}${detail === '' ? '' : `: ${detail}`}`
    const since = known?.since ?? this.#clock.monotonic()
    const end = forget && this.#clock.after(forget, () => this.#forget(what))
    this.#troubles.set(what, { since, reason, end, isCommon: end !== undefined && isUnreachable(error) })
    if (!known) this.#log.warn('The Kubernetes API is in trouble', { waitsFor: what, error: reason })
    this.#show()
  }

  answered(what: string): void {
    if (this.#troubles.size === 0) return
    for (const [each, { isCommon }] of [...this.#troubles]) if (isCommon || each === what) this.#end(each)
    this.#show()
  }

  /** Whether the API tells of none of these kinds: it is away, or lets nobody in. */
  isSilentOn(kinds: readonly string[]): boolean {
    const all = [...this.#troubles.keys()]
    const isSilent = (kind: string) =>
      all.some((what) => what === newsOf(kind) || what.startsWith(`${newsOf(kind)} in `))
    return kinds.length > 0 && kinds.every(isSilent)
  }

  /** The oldest of them, of those that are asked for again and again where there are such, and how many more there are. */
  get text(): string | undefined {
    const all = [...this.#troubles]
    const first = all.find(([, { end }]) => end === undefined) ?? all[0]
    if (!first) return undefined
    const more = this.#troubles.size - 1
    return `the Kubernetes API, for ${first[0]}${more === 0 ? '' : ` and ${more} more`} (${first[1].reason})`
  }

  #end(what: string): void {
    const known = this.#troubles.get(what)
    if (!known) return
    known.end?.[Symbol.dispose]()
    this.#troubles.delete(what)
    const afterSeconds = Math.round((this.#clock.monotonic() - known.since) / 1000)
    this.#log.info('The Kubernetes API answers again', { waitedFor: what, afterSeconds })
  }

  #forget(what: string): void {
    this.#troubles.delete(what)
    this.#show()
  }

  #show(): void {
    const { text } = this
    if (text === this.#shown) return
    this.#shown = text
    this.onChange(text)
  }

  #seconds(): number {
    const now = this.#clock.monotonic()
    return Math.max(0, ...[...this.#troubles.values()].map(({ since }) => (now - since) / 1000))
  }
}
