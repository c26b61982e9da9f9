import { createScope, type ManagedScope, type Module } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../../../schemas/index.ts'
import { createCacheModule, createCloudInformers } from '../../../cloud/cloud-informers.ts'
import { openCloudEpoch } from '../../../cloud/cloudhub/cloud-epoch.ts'
import type { UserMessageHandler } from '../../../cloud/cloudhub/delivery.ts'
import { Hub } from '../../../cloud/cloudhub/hub.ts'
import { identify } from '../../../cloud/cloudhub/identity.ts'
import { serveLink } from '../../../cloud/cloudhub/serve-link.ts'
import { SyncRecords } from '../../../cloud/cloudhub/sync-records.ts'
import { createDeviceControllerModule } from '../../../cloud/device-controller/module.ts'
import { createEdgeControllerModule } from '../../../cloud/edge-controller/module.ts'
import type { Kubernetes } from '../../../cloud/kubernetes/kubernetes.ts'
import type { Caller } from '../ground/network.ts'
import type { ProcessClock } from '../ground/process-clock.ts'
import type { SeededRandom } from '../ground/seeded-random.ts'
import { Counting } from './counting.ts'

export interface CloudOptions {
  readonly kubernetes: Kubernetes
  readonly clock: ProcessClock
  readonly random: SeededRandom
  readonly log: Logger
  readonly onUserMessage: UserMessageHandler
  readonly onCrash: (module: string, error: unknown) => void
}

/** One run of the cloud half: its real parts on an API, a network and a time of the world. */
export class Cloud {
  readonly clock: ProcessClock
  readonly counting = new Counting()
  readonly #options: CloudOptions
  readonly #scopes: ManagedScope[] = []
  isStopping = false
  #serving: { readonly hub: Hub; readonly epoch: string } | undefined

  constructor(options: CloudOptions) {
    this.#options = options
    this.clock = options.clock
  }

  async start(): Promise<void> {
    const { kubernetes, clock, random, log, onUserMessage, onCrash } = this.#options
    const ports = { kubernetes, clock, random, log, metrics: this.counting }
    const informers = createCloudInformers(ports)
    const { nodes, sessionLeases } = informers
    const records = new SyncRecords({ ...ports, ...informers })
    const hub = new Hub({ ...ports, nodes, sessionLeases, records, memory: () => this.#serving?.epoch ?? '' })
    const sessions: Module = {
      name: 'CloudHub',
      start: async (scope) => {
        const epoch = await openPatiently(ports, scope.signal)
        this.#serving = { hub, epoch }
        scope.use(nodes.onChange((now, before) => !now && before && hub.remove(before.metadata.name)))
        scope.use(hub.onUserMessage(onUserMessage))
        scope.run((signal) => hub.run(signal))
        scope.defer(() => hub.endAll('the cloud half is stopping'))
      },
    }
    const modules = [
      createCacheModule(Object.values(informers)),
      createDeviceControllerModule({ ...ports, ...informers, hub }),
      createEdgeControllerModule({ ...ports, ...informers, hub }),
      sessions,
    ]
    for (const module of modules) {
      const { name } = module
      const scope = createScope(name, { clock, log, deadline: seconds(10), onCrash: (error) => onCrash(name, error) })
      this.#scopes.unshift(scope)
      await module.start(scope)
    }
  }

  isConnected(node: string): boolean {
    return !this.clock.isDead && this.#serving?.hub.isConnected(node) === true
  }

  /** Gives the identity of its memory to whom it lets in. */
  accept({ headers, node, link }: Caller): string | undefined {
    const serving = this.#serving
    if (!serving || this.clock.isDead) return undefined
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const upgrade = { ...lower, [SKERRY_HEADER]: SKERRY_WIRE_VERSION }
    const identified = identify(upgrade, { node, serial: '01', expires: Number.MAX_SAFE_INTEGER }, () => undefined)
    if (!identified.ok) return undefined
    void serveLink(serving.hub, link, { ...identified.peer, session: this.#options.random.uuid() })
    return serving.epoch
  }

  /** As SIGTERM does it. */
  async stop(): Promise<void> {
    this.isStopping = true
    this.#serving = undefined
    for (const scope of this.#scopes) await scope.close(seconds(10)).catch(() => undefined)
    this.clock.kill()
  }

  kill(): void {
    this.#serving = undefined
    this.clock.kill()
  }
}

/** As the module of CloudHub does it: the API may be away for a moment. */
async function openPatiently(
  ports: Pick<CloudOptions, 'kubernetes' | 'random' | 'clock'>,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      return await openCloudEpoch(ports, signal)
    } catch {
      signal.throwIfAborted()
      await ports.clock.sleep(seconds(1), signal)
    }
  }
}
