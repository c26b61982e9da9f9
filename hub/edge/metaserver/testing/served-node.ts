import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bus, createLocalBus } from '../../../../platform/bus/index.ts'
import { silentMetrics } from '../../../../platform/health/index.ts'
import { createScope } from '../../../../platform/lifecycle/index.ts'
import { type MemoryLogger, memoryLogger } from '../../../../platform/log/testing/index.ts'
import { type Clock, systemRandom as random, seconds, systemClock } from '../../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { createFrameFactory } from '../../../link/index.ts'
import { kubeconfig } from '../../../serving/access/kubeconfig.ts'
import { createMetaManager, type MetaManager } from '../../meta/meta-manager.ts'
import { metaStoreDomain } from '../../meta/meta-store.ts'
import { type MemoryStore, memoryStore } from '../../testing/memory-store.ts'
import { type LocalPeople, openLocalPeople } from '../access/local-people.ts'
import type { MetaServerSettings } from '../metaserver-ports.ts'
import { createMetaServerModule } from '../module.ts'
import { type FakeApplications, fakeApplications } from './fake-applications.ts'

/** MetaServer of a node of a test, over HTTPS on a free port, with a cloud that is played. */
export interface ServedNode {
  readonly url: string
  readonly directory: string
  /** For kubectl, as the operator of the node. */
  readonly kubeconfig: string
  readonly people: LocalPeople
  readonly meta: MetaManager
  readonly bus: Bus
  readonly store: MemoryStore
  readonly cloud: FakeApplications
  readonly log: MemoryLogger
  /** An object comes from the cloud. */
  give(resource: string, object: JsonObject): Promise<void>
  take(resource: string, object: JsonObject): Promise<void>
  /** Ends MetaServer at once, as far as clients see. */
  stop(): Promise<void>
}

export interface ServedNodeOptions {
  /** Goes on with the disk and the port of an earlier one. */
  readonly after?: ServedNode
  readonly settings?: Partial<MetaServerSettings>
  readonly prepare?: (bus: Bus) => void
  /** Socket of a kubelet that is played. */
  readonly edged?: string
  readonly clock?: Clock
}

export const NODE = 'edge-1'

export async function serveTestNode({
  after,
  settings,
  prepare,
  edged,
  clock = systemClock,
}: ServedNodeOptions = {}): Promise<ServedNode> {
  const directory = after?.directory ?? temporaryFolder()
  const folder = join(directory, 'metaserver')
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  const store = memoryStore([metaStoreDomain], after?.store)
  const cloud = after?.cloud ?? fakeApplications()
  prepare?.(bus)
  const frames = createFrameFactory({ clock, random })
  const meta = createMetaManager({ store, bus, frames, nodeName: NODE, clock, log })
  const server = createMetaServerModule(
    {
      store,
      meta,
      bus,
      applications: cloud,
      nodeName: NODE,
      clock,
      random,
      log,
      metrics: silentMetrics,
      edged: () => edged,
    },
    { host: '127.0.0.1', port: portOf(after), folder, audiences: [], ...settings },
  )
  const scope = createScope('node', {
    clock,
    log,
    deadline: seconds(5),
    onCrash: (error) => log.error('crashed', { error }),
  })
  await meta.start(scope)
  await server.start(scope)
  const people = await openLocalPeople({ folder, nodeName: NODE, clock, random })
  const url = server.url ?? ''
  const file = join(directory, 'kubeconfig')
  await writeFile(file, kubeconfig({ server: url, ca: people.ca, token: people.token }))
  const say = async (operation: string, resource: string, object: JsonObject) => {
    const route = { source: 'edgecontroller', group: 'resource', operation, resource }
    const content: Json = object
    const reply = await meta.receive(frames.make(route, content), { isSkerry: true })
    if (reply.route.operation === 'error') throw new Error(JSON.stringify(reply.content))
  }
  return {
    ...{ url, directory, kubeconfig: file, people, meta, bus, store, cloud, log },
    give: (resource, object) => say('update', resource, object),
    take: (resource, object) => say('delete', resource, object),
    stop: () => scope.close(seconds(5)),
  }
}

function portOf(before: ServedNode | undefined): number {
  return before ? Number(new URL(before.url).port) : 0
}
