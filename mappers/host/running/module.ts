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
import { type CatalogMapper, entryOf, type LoadedMapper, type MapperUse, type UnusableMapper } from './catalog.ts'
import { countersOf } from './counters.ts'
import { followCatalog } from './follow.ts'
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

/** Where a device is, and what was said of one that nobody serves. */
interface Place {
  readonly protocol: string
  readonly keeper?: Keeper | undefined
  readonly said?: string | undefined
}

class MapperHost {
  readonly #options: MapperHostOptions
  readonly #scope: Scope
  readonly #reporter: Reporter
  /** By id of the mapper. */
  readonly #keepers = new Map<string, Keeper>()
  /** By name in `protocolName`. */
  #serving: ReadonlyMap<string, Keeper> = new Map()
  /** Mappers that cannot be used, by id. */
  readonly #unusable = new Map<string, { readonly name: string; readonly loaded: UnusableMapper }>()
  readonly #listed = new Set<string>()
  readonly #places = new Map<DeviceId, Place>()
  #isWatching = false

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
      isCurrent: (id) => this.#places.has(id),
    })
  }

  /** Mappers come later, each when it can: who waits for this module waits for none of them. */
  async start(): Promise<void> {
    const { builtIns, use = [], from = [], isolation, clock, random } = this.#options
    const { heapMegabytes = DEFAULT_HEAP_MEGABYTES } = this.#options
    const onChange = (mappers: readonly CatalogMapper[], isServing: boolean) => this.#take(mappers, isServing)
    const catalog = { builtIns, use, from, isolation, heapMegabytes, clock, random, onChange }
    this.#scope.run((stop) => this.#reporter.run(stop))
    this.#scope.run((stop) => followCatalog(catalog, stop))
  }

  #take(mappers: readonly CatalogMapper[], isServing: boolean): void {
    const serving = new Map<string, Keeper>()
    const restarting: Keeper[] = []
    for (const mapper of mappers) {
      const { id, loaded } = mapper
      if ('reason' in loaded) this.#putUnusable(mapper, loaded)
      else if (!isServing) this.#publish(id, entryOf(mapper))
      else {
        this.#removeUnusable(id)
        const known = this.#keepers.get(id)
        if (known?.describe(mapper, loaded)) restarting.push(known)
        const keeper = known ?? this.#keep(mapper, loaded)
        if (keeper) for (const name of loaded.serves) serving.set(name, keeper)
      }
    }
    if (!isServing) return
    this.#serving = serving
    this.#assignAll()
    for (const keeper of restarting) keeper.restart()
  }

  #assignAll(): void {
    const { bus } = this.#options
    if (this.#isWatching) {
      for (const [id, value] of [...bus.list(assignedDevices)]) this.#assigned(id, value)
    } else {
      this.#isWatching = true
      this.#scope.use(bus.watch(assignedDevices, ({ key, value }) => this.#assigned(key, value)))
    }
  }

  #publish(id: string, entry: MapperEntry): void {
    const { bus } = this.#options
    bus.set(mappersLoaded, id, entry)
    if (this.#listed.has(id)) return
    this.#listed.add(id)
    this.#scope.defer(() => bus.remove(mappersLoaded, id))
  }

  #putUnusable(mapper: CatalogMapper, loaded: UnusableMapper): void {
    const { id, name } = mapper
    const { reason, isLoading } = loaded
    const before = this.#unusable.get(id)?.loaded.reason
    this.#unusable.set(id, { name, loaded })
    if (before === reason) return
    this.#publish(id, entryOf(mapper))
    gaugesOf(this.#options.metrics, name).state(isLoading ? 'loading' : 'broken', 0)
    if (!isLoading) this.#options.log.error('A mapper cannot be used', { mapper: name, reason })
  }

  #removeUnusable(id: string): void {
    const found = this.#unusable.get(id)
    if (!found) return
    this.#unusable.delete(id)
    gaugesOf(this.#options.metrics, found.name).state(undefined, 0)
    if (!found.loaded.isLoading) this.#options.log.info('A mapper can be used now', { mapper: found.name })
  }

  /** None for a mapper whose names others serve. */
  #keep(mapper: CatalogMapper, loaded: LoadedMapper): Keeper | undefined {
    const { id, isolation } = mapper
    const { metrics } = this.#options
    const { protocol } = loaded.source
    const publish = (entry: MapperEntry) => this.#publish(id, entry)
    if (loaded.serves.length === 0) {
      publish(entryOf(mapper))
      return undefined
    }
    const keeper = new Keeper({
      ...this.#options,
      ...{ mapper, loaded, publish, scope: this.#scope, run: RUNNERS[isolation] },
      counters: countersOf(metrics, protocol),
      gauges: gaugesOf(metrics, protocol),
      onDown: (reason, devices) => {
        for (const device of devices) this.#unserved(device, 'MapperCrashed', reason)
      },
    })
    this.#keepers.set(id, keeper)
    return keeper
  }

  #assigned(id: DeviceId, assigned: AssignedDevice | undefined): void {
    const before = this.#places.get(id)
    if (!assigned) {
      before?.keeper?.remove(id)
      this.#places.delete(id)
      this.#reporter.forget(id)
      return
    }
    const protocol = protocolOf(assigned.device, assigned.model) ?? ''
    // A device without its model waits for it; there is nothing to start yet.
    const keeper = assigned.model ? this.#serving.get(protocol) : undefined
    if (before?.keeper !== keeper) before?.keeper?.remove(id)
    const verdict = assigned.model && !keeper ? this.#nobody(protocol) : undefined
    this.#places.set(id, { protocol, keeper, said: verdict?.reason })
    if (keeper) keeper.add(id)
    else if (verdict && verdict.reason !== before?.said) this.#unserved(id, verdict.code, verdict.reason)
  }

  /** Why no mapper serves a protocol; undefined while one that may do so is still being loaded. */
  #nobody(protocol: string): { readonly code: StateCode; readonly reason: string } | undefined {
    if (protocol === '') {
      return { code: 'NoMapper', reason: 'neither the Device nor its DeviceModel names a protocol' }
    }
    const unusable = [...this.#unusable.values()]
    const claiming = unusable.find(({ loaded }) => loaded.claims.includes(protocol))
    const guilty = claiming ? [claiming] : unusable.filter(({ loaded }) => loaded.protocol === undefined)
    if (guilty.some(({ loaded }) => loaded.isLoading)) return undefined
    const why = guilty.map(({ name, loaded }) => `${name}: ${loaded.reason}`)
    const told = claiming
      ? why.map((each) => `: ${each}`)
      : why.map((each) => `; a mapper that cannot be used: ${each}`)
    const code = guilty.length > 0 ? 'MapperBroken' : 'NoMapper'
    return { code, reason: `no mapper for protocol ${protocol} on this node${told.join('')}` }
  }

  #unserved(id: DeviceId, code: StateCode, reason: string): void {
    this.#reporter.state({ id, state: 'unknown', reason, code })
  }
}
