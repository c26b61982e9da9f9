import type { Bus } from '../../../platform/bus/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import type { Module, Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Duration, Random } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceId,
  type MapperEntry,
  mappersLoaded,
  protocolOf,
  type StateCode,
} from '../../../schemas/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import { Reporter } from '../line/reporter.ts'
import { defaultSettings } from '../settings.ts'
import { createStats } from '../stats.ts'
import { type CatalogMapper, createCatalog, entryOf, type LoadedMapper, type MapperUse } from './catalog.ts'
import { countersOf } from './counters.ts'
import { gaugesOf } from './gauges.ts'
import { Keeper } from './keeper.ts'
import { runHere } from './run-here.ts'
import { runInProcess } from './run-in-process.ts'
import { runInWorker } from './run-in-worker.ts'
import type { Isolation, Runner } from './runner.ts'
import type { MapperSource } from './source.ts'

export interface MapperHostOptions {
  readonly bus: Bus
  /** Mappers that Skerry brings. */
  readonly builtIns: readonly MapperSource[]
  /** Mappers of others; one of them goes before one of Skerry's for the same protocol. Default: none. */
  readonly use?: readonly MapperUse[]
  /** Folders in whose `node_modules`, and above, packages are looked for. */
  readonly from?: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** Where each mapper runs that has devices: in a thread or process of its own, or in this thread. */
  readonly isolation: Isolation
  /** Default 256, see RunOptions. */
  readonly heapMegabytes?: number
  /** For files of the mappers, each in its own folder; made when one runs. */
  readonly folder: string
  /** The MQTT broker of this node with an account for mappers, asked for at each start of one. Its secrets are never logged. */
  readonly broker?: () => LocalBroker | undefined
  /** How long a thread may show no life before it is ended and started again; default 10 s. */
  readonly silence?: Duration
}

/** Runs the mappers that this node's devices need, each apart from the others; a protocol without devices costs nothing. */
export function createMapperHostModule(options: MapperHostOptions): Module {
  return { name: 'MapperHost', start: (scope) => new MapperHost(options, scope).start() }
}

export const DEFAULT_HEAP_MEGABYTES = 256

const RUNNERS: Readonly<Record<Isolation, Runner>> = { worker: runInWorker, process: runInProcess, none: runHere }

class MapperHost {
  readonly #options: MapperHostOptions
  readonly #scope: Scope
  readonly #reporter: Reporter
  readonly #keepers = new Map<string, Keeper>()
  /** Why a name is not served, by what is known of mappers that cannot be used. */
  readonly #broken = new Map<string, string>()
  /** Mappers that cannot be used, and nobody knows what they would serve. */
  readonly #unknown: string[] = []
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
    const { bus, builtIns, use = [], from = [], isolation, clock } = this.#options
    const { heapMegabytes = DEFAULT_HEAP_MEGABYTES } = this.#options
    const { signal } = this.#scope
    const catalog = { builtIns, use, from, isolation, heapMegabytes, clock, signal }
    for (const mapper of await createCatalog(catalog)) this.#take(mapper)
    this.#scope.run((stop) => this.#reporter.run(stop))
    this.#scope.use(bus.watch(assignedDevices, ({ key, value }) => this.#assigned(key, value)))
  }

  #take(mapper: CatalogMapper): void {
    const { bus, log } = this.#options
    const { id, loaded } = mapper
    const publish = (entry: MapperEntry) => bus.set(mappersLoaded, id, entry)
    this.#scope.defer(() => bus.remove(mappersLoaded, id))
    if (!('reason' in loaded)) {
      this.#keep(mapper, loaded, publish)
      return
    }
    const { reason, protocol, claims } = loaded
    log.error('A mapper cannot be used', { mapper: id, reason })
    publish(entryOf(mapper))
    gaugesOf(this.#options.metrics, protocol ?? id).state('broken', 0)
    for (const name of claims) this.#broken.set(name, `${id}: ${reason}`)
    if (protocol === undefined) this.#unknown.push(`${id}: ${reason}`)
  }

  #keep(mapper: CatalogMapper, loaded: LoadedMapper, publish: (entry: MapperEntry) => void): void {
    const { metrics } = this.#options
    const { protocol } = loaded.source
    if (loaded.serves.length === 0) {
      publish(entryOf(mapper))
      return
    }
    const keeper = new Keeper({
      ...this.#options,
      ...{ mapper, loaded, publish, scope: this.#scope, run: RUNNERS[mapper.isolation] },
      counters: countersOf(metrics, protocol),
      gauges: gaugesOf(metrics, protocol),
      onDown: (reason, devices) => {
        for (const id of devices) this.#unserved(id, 'MapperCrashed', reason)
      },
    })
    for (const name of loaded.serves) this.#keepers.set(name, keeper)
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
    if (protocol === '') {
      this.#unserved(id, 'NoMapper', 'neither the Device nor its DeviceModel names a protocol')
      return
    }
    const broken = this.#broken.get(protocol)
    if (broken !== undefined) {
      this.#unserved(id, 'MapperBroken', `no mapper for protocol ${protocol} on this node: ${broken}`)
      return
    }
    const unknown = this.#unknown.map((each) => `; a mapper that cannot be used: ${each}`).join('')
    const code = this.#unknown.length > 0 ? 'MapperBroken' : 'NoMapper'
    this.#unserved(id, code, `no mapper for protocol ${protocol} on this node${unknown}`)
  }

  #unserved(id: DeviceId, code: StateCode, reason: string): void {
    this.#reporter.state({ id, state: 'unknown', reason, code })
  }
}
