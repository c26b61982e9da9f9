import { createEdgeHub, createMetaManager, type EdgeHub } from '../../hub/edge/index.ts'
import { createFrameFactory, createWebSocketDialer, type LinkIdentity } from '../../hub/link/index.ts'
import { createLocalBus } from '../../platform/bus/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { links, objectChanges } from '../../schemas/index.ts'

export interface LightEdgeOptions {
  readonly nodeName: string
  /** HOST:PORT of CloudHub. */
  readonly server: string
  readonly identity: LinkIdentity
  /** Told of each object that came or changed. */
  onStored(resource: string): void
  /** Told when a link is there. */
  onConnected(): void
}

export interface LightEdge {
  readonly hub: EdgeHub
  stop(): Promise<void>
}

const FACTS = {
  ...{ cpus: 4, memoryBytes: 4e9, os: 'linux', kernel: '6.12', architecture: 'x64', hostname: 'light' },
  ...{ address: '192.0.2.1', diskBytes: 3e10 },
}
const DEADLINE = seconds(5)

/** EdgeHub and MetaManager as they are in `skerry edge`, with nothing else of an edge and without a disk. */
export async function startLightEdge(options: LightEdgeOptions): Promise<LightEdge> {
  const { nodeName, server, identity } = options
  const onCrash = (error: unknown): never => {
    throw error
  }
  const scope = createScope(nodeName, { clock, log, deadline: DEADLINE, onCrash })
  const bus = createLocalBus(clock, log)
  const ports = {
    store: factsAlone(),
    bus,
    frames: createFrameFactory({ clock, random }),
    nodeName,
    clock,
    random,
    log,
  }
  const meta = createMetaManager(ports)
  const dialer = createWebSocketDialer({
    ...{ server, path: `/project/${nodeName}/events`, clock, log },
    identity: async () => identity,
  })
  const hub = createEdgeHub({ ...ports, dialer, meta, version: '0.1.0', facts: () => FACTS })
  scope.use(
    bus.subscribe(objectChanges, ({ resource, change }) => void (change === 'stored' && options.onStored(resource))),
  )
  scope.use(bus.watch(links, ({ value }) => void (value?.connected && options.onConnected())))
  await meta.start(scope)
  await hub.start(scope)
  return { hub, stop: () => scope.close(DEADLINE) }
}

/** Remembers who this edge and its cloud are, and else nothing. */
function factsAlone(): Store {
  const facts = new Map<string, string>()
  return {
    async write(calls) {
      for (const { statement, parameters } of calls) {
        if (statement === 'meta.setFact') facts.set(String(parameters[0]), String(parameters[1]))
      }
    },
    async read({ statement, parameters }) {
      const value = facts.get(String(parameters[0]))
      return statement === 'meta.fact' && value !== undefined ? [{ value }] : []
    },
    async [Symbol.asyncDispose]() {
      // There is nothing to close.
    },
  }
}
