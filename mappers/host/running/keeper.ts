import { join } from 'node:path'
import type { Bus } from '../../../platform/bus/index.ts'
import { ensureDirectory } from '../../../platform/files/index.ts'
import { describeError, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { DeviceId, MapperEntry } from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import { runProtocolHost } from '../protocol-host.ts'
import { createStats } from '../stats.ts'
import type { Counters } from './counters.ts'
import { runInWorker } from './run-in-worker.ts'
import { loadMapper, type MapperDescription, type MapperSource } from './source.ts'
import { BEAT_MS } from './worker-messages.ts'

export interface KeeperOptions {
  readonly source: MapperSource
  readonly description: MapperDescription
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly isolation: 'worker' | 'none'
  /** Of all mappers; each has its own folder in it. */
  readonly folder: string
  /** The MQTT broker of this node, asked for at each start of the mapper. */
  readonly broker?: (() => LocalBroker | undefined) | undefined
  readonly silence?: Duration
  readonly scope: Scope
  readonly counters: Counters
  publish(entry: MapperEntry): void
  /** The mapper is down, and these devices with it. */
  onDown(reason: string, devices: readonly DeviceId[]): void
}

/** After so long without a crash the next one is the first again. */
const STABLE = minutes(1)

/** Keeps one mapper running while it has devices, and starts it again after a crash, with growing waits. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #devices = new Set<DeviceId>()
  #stop: AbortController | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#publish('idle', 'no device on this node uses it')
  }

  add(id: DeviceId): void {
    this.#devices.add(id)
    if (this.#stop) return
    const stop = new AbortController()
    this.#stop = stop
    const before = this.#last
    this.#options.scope.run((signal) => {
      this.#last = before.then(() => this.#keep(stop, signal))
      return this.#last
    })
  }

  remove(id: DeviceId): void {
    if (!this.#devices.delete(id) || this.#devices.size > 0) return
    this.#stop?.abort(new Error('no device uses the mapper any more'))
    this.#stop = undefined
    this.#publish('idle', 'no device on this node uses it')
  }

  async #keep(stop: AbortController, outer: AbortSignal): Promise<void> {
    const onStop = () => stop.abort(outer.reason)
    if (outer.aborted) onStop()
    outer.addEventListener('abort', onStop, { once: true })
    const { clock, random } = this.#options
    const backoff = new Backoff({ first: ms(500), most: seconds(60) }, random)
    try {
      while (!stop.signal.aborted) {
        const began = clock.monotonic()
        const failure = await this.#runOnce(stop.signal)
        if (stop.signal.aborted) return
        if (clock.monotonic() - began > STABLE.milliseconds) backoff.reset()
        const wait = backoff.next()
        this.#crashed(failure, wait.milliseconds)
        await clock.sleep(wait, stop.signal).catch(() => undefined)
      }
    } finally {
      outer.removeEventListener('abort', onStop)
    }
  }

  /** Why it ended. */
  async #runOnce(signal: AbortSignal): Promise<unknown> {
    const { counters } = this.#options
    this.#publish('running', '')
    counters.begin()
    try {
      const folder = join(this.#options.folder, encodeURIComponent(this.#options.source.protocol))
      await ensureDirectory(folder, 0o700)
      await (this.#options.isolation === 'worker' ? this.#runThread(folder, signal) : this.#runHere(folder, signal))
      return new Error('it ended by itself')
    } catch (error) {
      return error
    }
  }

  #runThread(folder: string, signal: AbortSignal): Promise<void> {
    const { counters } = this.#options
    const broker = this.#options.broker?.()
    return runInWorker({ ...this.#options, folder, broker, onStats: (stats) => counters.take(stats) }, signal)
  }

  async #runHere(folder: string, signal: AbortSignal): Promise<void> {
    const { source, counters, clock } = this.#options
    const stats = createStats()
    const beat = () => {
      counters.take(stats)
      timer = clock.after(ms(BEAT_MS), beat)
    }
    let timer = clock.after(ms(BEAT_MS), beat)
    const protocols = [source.protocol, ...(source.aliases ?? [])]
    try {
      const mapper = await loadMapper(source)
      const broker = this.#options.broker?.()
      await runProtocolHost({ ...this.#options, mapper, protocols, folder, broker, stats }, signal)
    } finally {
      timer[Symbol.dispose]()
      counters.take(stats)
    }
  }

  #crashed(failure: unknown, waitMs: number): void {
    const { log, source, onDown } = this.#options
    const reason = `mapper ${source.protocol} crashed: ${describeError(failure)}`
    log.error('A mapper crashed and is started again', {
      mapper: source.protocol,
      waitMs: Math.round(waitMs),
      error: failure,
    })
    this.#publish('restarting', reason)
    onDown(reason, [...this.#devices])
  }

  #publish(state: MapperEntry['state'], detail: string): void {
    const { description, publish, source } = this.#options
    publish({ protocol: source.protocol, ...description, state, detail })
  }
}
