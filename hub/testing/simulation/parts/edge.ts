import { type Bus, createLocalBus } from '../../../../platform/bus/index.ts'
import { createScope, type ManagedScope } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Store } from '../../../../platform/store/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { createDeviceTwinModule } from '../../../../twin/index.ts'
import { createEdgeHub } from '../../../edge/edge-hub.ts'
import { createMetaManager, type MetaManager } from '../../../edge/meta/meta-manager.ts'
import type { MachineFacts } from '../../../edge/node/machine.ts'
import type { OutboxLimits } from '../../../edge/outbox/outbox.ts'
import { UserUplink } from '../../../edge/user/user-uplink.ts'
import { createFrameFactory } from '../../../link/frames.ts'
import type { LinkDialer } from '../../../link/link.ts'
import type { ProcessClock } from '../ground/process-clock.ts'
import type { SeededRandom } from '../ground/seeded-random.ts'
import { Counting } from './counting.ts'
import { SimulatedBroker } from './event-bus.ts'
import { Mapper, type MapperPorts } from './mapper.ts'

export interface EdgeOptions {
  readonly node: string
  readonly store: Store
  readonly incarnation: number
  readonly dialer: LinkDialer
  readonly clock: ProcessClock
  readonly random: SeededRandom
  readonly log: Logger
  readonly limits: OutboxLimits
  readonly thing: MapperPorts['thing']
  readonly onWritten: MapperPorts['onWritten']
  readonly onCrash: (module: string, error: unknown) => void
  /** Stands around MetaManager, for faults that are planted. */
  readonly around?: (meta: MetaManager) => MetaManager
}

const FACTS: MachineFacts = {
  ...{ cpus: 4, memoryBytes: 4_294_967_296, os: 'linux', kernel: '6.1.0', architecture: 'arm64' },
  ...{ hostname: 'gateway', address: '192.0.2.7' },
}

/** One run of the edge half: its real parts on a disk, a network and a time of the world. */
export class Edge {
  readonly clock: ProcessClock
  readonly bus: Bus
  readonly broker = new SimulatedBroker()
  readonly counting = new Counting()
  readonly #options: EdgeOptions
  readonly #scopes: ManagedScope[] = []
  readonly #stopping = new AbortController()
  mapper: Mapper | undefined
  /** MQTT clients are let in. */
  isServing = false
  isConnected: () => boolean = () => false

  constructor(options: EdgeOptions) {
    this.#options = options
    this.clock = options.clock
    this.bus = createLocalBus(options.clock, options.log)
  }

  async start(): Promise<void> {
    const { node: nodeName, store, incarnation, dialer, clock, random, log, limits, around, onCrash } = this.#options
    const { bus, broker: eventBus, counting: metrics } = this
    const frames = createFrameFactory({ clock, random })
    const common = { store, bus, frames, nodeName, clock, random, log, metrics }
    const twin = createDeviceTwinModule({ ...common, eventBus })
    const userUplink = new UserUplink({ ...common, eventBus, limits })
    const made = createMetaManager(common)
    const meta = around?.(made) ?? made
    const hub = createEdgeHub({
      ...{ ...common, dialer, meta, incarnation, userUplink },
      ...{ version: '0.1.0', facts: () => FACTS },
    })
    this.isConnected = () => hub.isConnected
    for (const module of [twin, userUplink, meta, hub]) {
      if (this.#stopping.signal.aborted) return
      const { name } = module
      const scope = createScope(name, { clock, log, deadline: seconds(10), onCrash: (error) => onCrash(name, error) })
      this.#scopes.unshift(scope)
      await module.start(scope)
      if (module === userUplink) {
        this.isServing = true
        const { thing, onWritten } = this.#options
        this.mapper = new Mapper({ bus, clock, random, thing, onWritten, signal: this.#stopping.signal })
      }
    }
  }

  /** As SIGTERM does it. */
  async stop(): Promise<void> {
    this.isServing = false
    this.#stopping.abort(new Error('the edge is stopping'))
    for (const scope of this.#scopes) await scope.close(seconds(10)).catch(() => undefined)
    this.clock.kill()
  }

  kill(): void {
    this.isServing = false
    this.clock.kill()
  }
}
