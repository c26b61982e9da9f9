import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import { type ApiTroubles, newsOf } from './api-troubles.ts'
import { detailOfError, isVersionLost, kindOfTrouble, reasonOfError, retryAfterOf } from './errors.ts'
import type { Kubernetes, ListOptions, ObjectList, ResourceType, WatchEvent } from './kubernetes.ts'

export interface InformerPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  readonly troubles?: ApiTroubles
}

export interface InformerOptions<T> extends ListOptions {
  /** Objects that are not kept are as if they were not there, and cost no memory. */
  readonly keep?: (object: T) => boolean
  /** Told of each try that failed, before the wait for the next one. */
  readonly onTrouble?: (error: unknown) => void
}

/** Where what is listed and watched goes. */
export interface FollowedCache<T extends KubeObject> {
  readonly type: ResourceType<T>
  /** Takes a complete list over; settles with its version. */
  refill(list: () => Promise<ObjectList<T>>): Promise<string>
  apply(object: T): void
  remove(object: KubeObject): void
}

/** What lasts or is silent so long counts as such. */
const LASTING = seconds(5)
const MOST_SHORT = 3
const BACKOFF = { first: ms(200), most: seconds(15) }
/** What an API may ask for at most; more is taken for a mistake. */
const LONGEST_REST = seconds(60)

/**
 * Lists one kind, and watches it from there, for ever. Whatever the API does, what is known stays until a complete list or the watch
 * says otherwise, and tries are few.
 */
export class Following<T extends KubeObject> {
  readonly #cache: FollowedCache<T>
  readonly #ports: InformerPorts
  readonly #list: ListOptions
  readonly #onTrouble: ((error: unknown) => void) | undefined
  /** For people. */
  readonly #what: string
  readonly #failures: Counter
  readonly #backoff: Backoff
  #version: string | undefined
  /** Watches in a row that ended, or could not begin, before they had lasted or told anything. */
  #short = 0
  /** Watches in a row that began and told nothing more. */
  #silences = 0

  constructor(cache: FollowedCache<T>, options: InformerOptions<T>, ports: InformerPorts) {
    const { keep: _keep, onTrouble, ...list } = options
    this.#cache = cache
    this.#ports = ports
    this.#list = list
    this.#onTrouble = onTrouble
    this.#what = newsOf(cache.type.kind, list.namespace)
    this.#backoff = new Backoff(BACKOFF, ports.random)
    this.#failures = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_kubernetes_watch_failures_total',
      help: 'Tries to list or to watch a kind that failed, by kind and reason; each is tried again.',
      labels: ['kind', 'reason'],
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, troubles } = this.#ports
    while (!signal.aborted) {
      const begun = clock.monotonic()
      let wait: number
      try {
        await this.#once(signal)
        wait = this.#ended(clock.monotonic() - begun)
      } catch (error) {
        if (signal.aborted) break
        wait = this.#failed(error, clock.monotonic() - begun)
      }
      await clock.sleep(ms(wait), signal).catch(() => undefined)
    }
    // Who asks no more waits for nothing.
    troubles?.answered(this.#what)
  }

  /** Until the watch ends. */
  async #once(signal: AbortSignal): Promise<void> {
    const { kubernetes, clock } = this.#ports
    if (this.#version === undefined) {
      this.#version = await this.#cache.refill(() => kubernetes.list(this.#cache.type, this.#list, signal))
      if (this.#silences === 0) this.#answered()
    }
    this.#short++
    let heard = 0
    // The first that is heard of a watch is that it has begun, which a peer that holds everything back lets through too.
    const isHeard = () => heard > (this.#silences === 0 ? 0 : 1)
    using _lasting = clock.after(LASTING, () => {
      if (!isHeard()) return
      this.#short = 0
      this.#answered()
    })
    const from = { ...this.#list, resourceVersion: this.#version }
    for await (const event of kubernetes.watch(this.#cache.type, from, signal)) {
      heard++
      const isNews = event.type !== 'BOOKMARK' || event.resourceVersion !== this.#version
      if (isNews) this.#short = 0
      if (isHeard()) {
        this.#silences = 0
        this.#answered()
      }
      if (isNews) this.#take(event)
    }
  }

  #take(event: WatchEvent<T>): void {
    this.#backoff.reset()
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion
      return
    }
    if (event.type === 'DELETED') this.#cache.remove(event.object)
    else this.#cache.apply(event.object)
    this.#version = event.object.metadata.resourceVersion ?? this.#version
  }

  /** The wait until the next watch, ms. */
  #ended(lasted: number): number {
    if (lasted >= LASTING.milliseconds) this.#short = 0
    // A server that ends streams at once must not be asked in a tight loop.
    if (this.#short <= MOST_SHORT) return 50 + this.#ports.random.next() * 100
    this.#tell(new Error('each watch ends at once'))
    return this.#backoff.next().milliseconds
  }

  /** The wait until the next try, ms. */
  #failed(error: unknown, lasted: number): number {
    const isLost = isVersionLost(error)
    // That the API forgets what is old is everyday life, where a list helps.
    if (!isLost || this.#version === undefined || this.#short > MOST_SHORT) {
      this.#tell(error)
      this.#onTrouble?.(error)
    }
    if (reasonOfError(error) === 'Silent') this.#silences++
    // Something between here and the API may hold back what watches tell. Lists come through.
    if (isLost || this.#silences > 1) this.#version = undefined
    if (lasted >= LASTING.milliseconds) {
      this.#backoff.reset()
      this.#short = 0
    }
    const asked = Math.min(retryAfterOf(error) ?? 0, LONGEST_REST.milliseconds)
    return Math.max(this.#backoff.next().milliseconds, asked)
  }

  #answered(): void {
    if (this.#short <= MOST_SHORT) this.#ports.troubles?.answered(this.#what)
  }

  #tell(error: unknown): void {
    const { log, troubles } = this.#ports
    this.#failures.add(1, { kind: this.#cache.type.kind, reason: kindOfTrouble(error) })
    troubles?.failed(this.#what, error)
    const fields = { waitsFor: this.#what, error: describeError(error), detail: detailOfError(error) }
    log.debug('A watch was interrupted', fields)
  }
}
