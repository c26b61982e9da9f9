import { runApart } from '../../../platform/apart/index.ts'
import type { Bus } from '../../../platform/bus/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import { describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, type Random, seconds } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceId,
  type MapperEntry,
  mappersLoaded,
  protocolOf,
} from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import { Reporter } from '../line/reporter.ts'
import { defaultSettings } from '../settings.ts'
import { createStats } from '../stats.ts'
import { countersOf } from './counters.ts'
import { Keeper } from './keeper.ts'
import { descriptionOf, loadMapper, type MapperDescription, type MapperSource } from './source.ts'

export interface MapperHostOptions {
  readonly bus: Bus
  readonly mappers: readonly MapperSource[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** worker: one thread per protocol that has devices. none: all in this thread. */
  readonly isolation: 'worker' | 'none'
  /** For files of the mappers, each in its own folder; made when one runs. */
  readonly folder: string
  /** The MQTT broker of this node with an account for mappers, asked for at each start of one. Its secrets are never logged. */
  readonly broker?: () => LocalBroker | undefined
  /** How long a thread may show no life before it is ended and started again; default 10 s. */
  readonly silence?: Duration
}

/** Runs the mappers that this node's devices need, each in its own thread; a protocol without devices costs nothing. */
export function createMapperHostModule(options: MapperHostOptions): Module {
  return { name: 'MapperHost', start: (scope) => new MapperHost(options, scope).start() }
}

/** A slow card may take long to load a protocol. */
const LOADING = seconds(60)

class MapperHost {
  readonly #options: MapperHostOptions
  readonly #scope: Scope
  readonly #reporter: Reporter
  readonly #keepers = new Map<string, Keeper>()
  /** Why a listed mapper cannot be used. */
  readonly #broken = new Map<string, string>()
  readonly #protocols = new Map<DeviceId, string>()

  constructor(options: MapperHostOptions, scope: Scope) {
    this.#options = options
    this.#scope = scope
    this.#reporter = new Reporter({
      bus: options.bus,
      clock: options.clock,
      random: options.random,
      log: options.log,
      settings: defaultSettings,
      stats: createStats(),
      isCurrent: (id) => this.#protocols.has(id),
    })
  }

  async start(): Promise<void> {
    const { bus, mappers } = this.#options
    for (const source of mappers) await this.#load(source)
    this.#scope.run((signal) => this.#reporter.run(signal))
    this.#scope.use(bus.watch(assignedDevices, ({ key, value }) => this.#assigned(key, value)))
  }

  async #load(source: MapperSource): Promise<void> {
    const { bus, log, metrics } = this.#options
    const publish = (entry: MapperEntry) => bus.set(mappersLoaded, source.protocol, entry)
    this.#scope.defer(() => bus.remove(mappersLoaded, source.protocol))
    const names = [source.protocol, ...(source.aliases ?? [])]
    try {
      const description = await this.#describe(source)
      const keeper = new Keeper({
        ...this.#options,
        source,
        description,
        publish,
        counters: countersOf(metrics, source.protocol),
        scope: this.#scope,
        onDown: (reason, devices) => {
          for (const id of devices) this.#reporter.state({ id, state: 'unknown', reason })
        },
      })
      for (const name of names) this.#keepers.set(name, keeper)
    } catch (error) {
      this.#scope.signal.throwIfAborted()
      log.error('A mapper cannot be used', { mapper: source.protocol, error })
      for (const name of names) this.#broken.set(name, describeError(error))
    }
  }

  /** Loaded where it will run: never in the main thread unless mappers run there. */
  async #describe(source: MapperSource): Promise<MapperDescription> {
    const { isolation, clock } = this.#options
    if (isolation === 'none') return descriptionOf(await loadMapper(source))
    const file = import.meta.url.endsWith('.ts') ? './source.ts' : './source.js'
    const call = { protocol: source.protocol, entry: source.entry.href }
    const options = { clock, deadline: LOADING, signal: this.#scope.signal }
    return checked(await runApart(new URL(file, import.meta.url), 'describeMapper', call, options))
  }

  #assigned(id: DeviceId, assigned: AssignedDevice | undefined): void {
    const protocol = assigned && (protocolOf(assigned.device, assigned.model) ?? '')
    const before = this.#protocols.get(id)
    // A device without its model waits for it; there is nothing to start yet.
    const keeper = assigned?.model ? this.#keepers.get(protocol ?? '') : undefined
    const keeperBefore = before === undefined ? undefined : this.#keepers.get(before)
    if (keeperBefore !== keeper) keeperBefore?.remove(id)
    if (protocol === undefined) {
      this.#protocols.delete(id)
      this.#reporter.forget(id)
      return
    }
    this.#protocols.set(id, protocol)
    if (keeper) keeper.add(id)
    else if (assigned?.model && before !== protocol) this.#nobody(id, protocol)
  }

  #nobody(id: DeviceId, protocol: string): void {
    const broken = this.#broken.get(protocol)
    const reason =
      protocol === ''
        ? 'neither the Device nor its DeviceModel names a protocol'
        : `no mapper for protocol ${protocol} on this node${broken === undefined ? '' : `: ${broken}`}`
    this.#reporter.state({ id, state: 'unknown', reason })
  }
}

/** From our own process. */
function checked(description: unknown): MapperDescription
function checked(description: unknown): unknown {
  return description
}
