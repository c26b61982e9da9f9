import { join } from 'node:path'
import type { Bus } from '../../../platform/bus/index.ts'
import { ensureDirectory } from '../../../platform/files/index.ts'
import { describeError, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { DeviceId, MapperEntry } from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import { type CatalogMapper, entryOf, type LoadedMapper } from './catalog.ts'
import type { Counters } from './counters.ts'
import type { Gauges } from './gauges.ts'
import type { Runner } from './runner.ts'

export interface KeeperOptions {
  readonly mapper: CatalogMapper
  readonly loaded: LoadedMapper
  readonly run: Runner
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of all mappers; each has its own folder in it. */
  readonly folder: string
  /** The MQTT broker of this node, asked for at each start of the mapper. */
  readonly broker?: (() => LocalBroker | undefined) | undefined
  readonly silence?: Duration | undefined
  readonly scope: Scope
  readonly counters: Counters
  readonly gauges: Gauges
  publish(entry: MapperEntry): void
  /** The mapper is down, and these devices with it. */
  onDown(reason: string, devices: readonly DeviceId[]): void
}

/** After so long without a crash the next one is the first again. */
const STABLE = minutes(1)
const RESTART = { first: ms(500), most: seconds(60) }
const IDLE = 'no device on this node uses it'

/** Keeps one mapper running while it has devices, and starts it again after a crash, with growing waits. */
export class Keeper {
  readonly #options: KeeperOptions
  #mapper: CatalogMapper
  #loaded: LoadedMapper
  readonly #devices = new Set<DeviceId>()
  #stop: AbortController | undefined
  #last: Promise<void> = Promise.resolve()
  #crashes = 0
  #state: MapperEntry['state'] = 'idle'
  #detail: string

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#mapper = options.mapper
    this.#loaded = options.loaded
    this.#detail = options.loaded.detail ?? IDLE
    this.#publish()
  }

  /** Takes over what is known of the mapper now. True when it serves other names than before, so that it has to be restarted. */
  describe(mapper: CatalogMapper, loaded: LoadedMapper): boolean {
    const before = this.#loaded.serves
    this.#mapper = mapper
    this.#loaded = loaded
    if (this.#state === 'idle') this.#detail = loaded.detail ?? IDLE
    this.#publish()
    return before.length !== loaded.serves.length || before.some((name) => !loaded.serves.includes(name))
  }

  /** Ends the mapper if it runs, and starts it anew. */
  restart(): void {
    if (!this.#stop) return
    this.#stop.abort(new Error('the mapper serves other protocols now'))
    this.#start()
  }

  add(id: DeviceId): void {
    if (this.#devices.has(id)) return
    this.#devices.add(id)
    this.#publish()
    // What comes while it is down has its reason too.
    if (this.#state === 'restarting') this.#options.onDown(this.#detail, [id])
    if (!this.#stop) this.#start()
  }

  #start(): void {
    const stop = new AbortController()
    this.#stop = stop
    const before = this.#last
    this.#options.scope.run((signal) => {
      this.#last = before.then(() => this.#keep(stop, signal))
      return this.#last
    })
  }

  remove(id: DeviceId): void {
    if (!this.#devices.delete(id)) return
    if (this.#devices.size > 0) {
      this.#publish()
      return
    }
    this.#stop?.abort(new Error('no device uses the mapper any more'))
    this.#stop = undefined
    this.#become('idle', this.#loaded.detail ?? IDLE)
  }

  async #keep(stop: AbortController, outer: AbortSignal): Promise<void> {
    const onStop = () => stop.abort(outer.reason)
    if (outer.aborted) onStop()
    outer.addEventListener('abort', onStop, { once: true })
    const { clock, random, gauges } = this.#options
    const backoff = new Backoff(RESTART, random)
    try {
      while (!stop.signal.aborted) {
        const began = clock.monotonic()
        const failure = await this.#runOnce(stop.signal)
        if (stop.signal.aborted) return
        if (clock.monotonic() - began > STABLE.milliseconds) backoff.reset()
        const wait = backoff.next()
        this.#crashed(failure, wait.milliseconds)
        await clock.sleep(wait, stop.signal).catch(() => undefined)
        if (!stop.signal.aborted) gauges.restarted()
      }
    } finally {
      outer.removeEventListener('abort', onStop)
    }
  }

  /** Why it ended. */
  async #runOnce(signal: AbortSignal): Promise<unknown> {
    const { counters, gauges, broker, run } = this.#options
    this.#become('running', '')
    counters.begin()
    try {
      const { source, serves } = this.#loaded
      const folder = join(this.#options.folder, encodeURIComponent(source.protocol))
      await ensureDirectory(folder, 0o700)
      const options = {
        ...this.#options,
        source,
        protocols: serves,
        folder,
        broker: broker?.(),
        heapMegabytes: this.#mapper.heapMegabytes,
        onBeat: ({ stats, memory }: Parameters<Parameters<Runner>[0]['onBeat']>[0]) => {
          counters.take(stats)
          if (memory) gauges.memory(memory)
        },
      }
      await run(options, signal)
      return new Error('it ended by itself')
    } catch (error) {
      return error
    }
  }

  #crashed(failure: unknown, waitMs: number): void {
    const { log, gauges, onDown } = this.#options
    const { protocol } = this.#loaded.source
    const reason = `mapper ${protocol} crashed: ${describeError(failure)}`
    log.error('A mapper crashed and is started again', { mapper: protocol, waitMs: Math.round(waitMs), error: failure })
    this.#crashes++
    gauges.crashed()
    this.#become('restarting', reason)
    onDown(reason, [...this.#devices])
  }

  #become(state: MapperEntry['state'], detail: string): void {
    this.#state = state
    this.#detail = detail
    this.#publish()
  }

  #publish(): void {
    const { publish, gauges } = this.#options
    gauges.state(this.#state, this.#devices.size)
    const now = { state: this.#state, detail: this.#detail, devices: this.#devices.size, crashes: this.#crashes }
    publish({ ...entryOf(this.#mapper), ...now })
  }
}
