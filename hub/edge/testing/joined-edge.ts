import type { TestContext } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { createScope, type ManagedScope, type Module } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import type { StoreDomain } from '../../../platform/store/index.ts'
import { openTestStore } from '../../../platform/store/testing/index.ts'
import { type Clock, ms, systemRandom as random, seconds, systemClock } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { ScriptedEventBus } from '../../../twin/testing/index.ts'
import { createFrameFactory, createWebSocketDialer } from '../../link/index.ts'
import { createEdgeHub } from '../edge-hub.ts'
import { identityFiles, readIdentity } from '../join/identity-files.ts'
import { joinNode } from '../join/join-node.ts'
import { parseJoinToken } from '../join/token.ts'
import { createMetaManager } from '../meta/meta-manager.ts'
import { metaStoreDomain } from '../meta/meta-store.ts'
import { callStoreDomain } from '../servicebus/call-store.ts'
import { ServiceBus } from '../servicebus/service-bus.ts'
import { userStoreDomain } from '../user/user-store.ts'
import { UserUplink } from '../user/user-uplink.ts'

const log = silentLogger

function onCrash(error: unknown): never {
  throw error
}

/** What of a cloud an edge needs to join and to dial. */
export interface JoinableCloud {
  readonly authority: { createToken(request: { readonly node: string }): Promise<string> }
  readonly certificates: { readonly port: number }
  readonly cloudhub: { readonly port: number }
}

export interface JoinedEdgeOptions {
  /** Default: that of the machine. */
  readonly clock?: Clock
  readonly nodeName?: string
  /** Beside those of the hub. */
  readonly domains?: readonly StoreDomain[]
}

/** `start` begins to live on the disk of the node, until `stop`; also again. */
export async function joinEdge(
  t: TestContext,
  cloud: JoinableCloud,
  { nodeName = 'edge-1', domains = [], clock = systemClock }: JoinedEdgeOptions = {},
) {
  const directory = temporaryFolder('skerry-edge-')
  const files = identityFiles(directory)
  const token = parseJoinToken(await cloud.authority.createToken({ node: nodeName }))
  await joinNode({ address: `127.0.0.1:${cloud.certificates.port}`, token, nodeName, files, clock: systemClock })
  const scopes: ManagedScope[] = []
  t.after(async () => {
    for (const scope of scopes) await scope.close(seconds(5))
  })
  const store = await openTestStore(t, [metaStoreDomain, userStoreDomain, callStoreDomain, ...domains])
  const frames = createFrameFactory({ clock, random })
  const identity = () => readIdentity(files, nodeName)
  const start = async (port = cloud.cloudhub.port) => {
    const scope = createScope('edge', { clock: systemClock, log, deadline: seconds(5), onCrash })
    scopes.push(scope)
    const bus = createLocalBus(clock, log)
    const mqtt = new ScriptedEventBus()
    const metrics = createMetrics()
    const ports = { store, bus, frames, nodeName, clock, random, log, metrics }
    const meta = createMetaManager(ports)
    const server = `127.0.0.1:${port}`
    const dialer = createWebSocketDialer({ server, path: `/project/${nodeName}/events`, identity, clock, log })
    const limits = { maxMessages: 1000, maxBytes: 1_000_000, maxAgeHours: 1 }
    const userUplink = new UserUplink({ ...ports, eventBus: mqtt, limits })
    const services = { services: [], maxConcurrent: 1, maxRequestBytes: 1, maxAnswerBytes: 1, stored: limits }
    const serviceBus = new ServiceBus({ ...ports, limits: services })
    const hub = createEdgeHub({ ...ports, dialer, meta, version: '0.1.0', userUplink, serviceBus })
    await userUplink.start(scope)
    await serviceBus.start(scope)
    await meta.start(scope)
    await hub.start(scope)
    const start = (module: Module) => module.start(scope)
    return { ...ports, meta, hub, mqtt, start, stop: () => scope.close(seconds(5)) }
  }
  return { store, start }
}

/** On a machine that does ten other things; nothing waits so long when all is well. */
const PATIENCE = seconds(60)

/** Looks again and again: for what neither clock nor event of the test can tell. */
export async function eventually<T>(read: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = systemClock.monotonic() + PATIENCE.milliseconds
  for (;;) {
    const value = await read()
    if (value !== undefined) return value
    if (systemClock.monotonic() > end) throw new Error('did not happen within a minute')
    await systemClock.sleep(ms(10))
  }
}
