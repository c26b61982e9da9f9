import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { createScope, type ManagedScope } from '../../../platform/lifecycle/index.ts'
import { type MemoryLogger, memoryLogger } from '../../../platform/log/testing/index.ts'
import { ms, type Random, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type Device, type DeviceModel, type Twin, twins } from '../../../schemas/index.ts'
import { ScriptedEventBus } from '../../../twin/testing/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { createMemoryDialer, type LinkPair, type MemoryDialer } from '../../link/testing/index.ts'
import { createEdgeHub, type EdgeHub } from '../edge-hub.ts'
import { createMetaManager, type MetaManager } from '../meta/meta-manager.ts'
import { metaStoreDomain } from '../meta/meta-store.ts'
import type { MetaLimits } from '../meta/meta-table.ts'
import type { NodeSelf } from '../node/node-self.ts'
import type { OutboxLimits } from '../outbox/outbox.ts'
import { callStoreDomain } from '../servicebus/call-store.ts'
import { type ListenerOptions, ServiceBus } from '../servicebus/service-bus.ts'
import type { ServiceLimits } from '../servicebus/services/service-calls.ts'
import { userStoreDomain } from '../user/user-store.ts'
import { UserUplink } from '../user/user-uplink.ts'
import { type MemoryStore, memoryStore } from './memory-store.ts'
import { createScriptedCloud, type ScriptedCloud } from './scripted-cloud.ts'

export interface EdgeBench {
  readonly clock: FakeClock
  readonly bus: Bus
  readonly log: MemoryLogger
  readonly store: MemoryStore
  readonly dialer: MemoryDialer
  readonly cloud: ScriptedCloud
  readonly hub: EdgeHub
  readonly serviceBus: ServiceBus
  readonly meta: MetaManager
  /** MQTT clients, where `userMessages` is given. */
  readonly mqtt: ScriptedEventBus
  advance(milliseconds?: number): Promise<void>
  stop(): Promise<void>
}

export interface BenchOptions {
  /** Goes on with the disk, the cloud and the time of an earlier run. */
  readonly after?: EdgeBench
  readonly isSkerry?: boolean
  /** Of the disk; another one than before stands for a backup that was put back. */
  readonly incarnation?: number
  readonly isReachable?: boolean
  readonly userMessages?: OutboxLimits
  /** Local services that may be called. Default: none. */
  readonly services?: ServiceLimits['services']
  /** Applications of this machine call the cloud. */
  readonly listener?: ListenerOptions
  readonly storedCalls?: OutboxLimits
  readonly metaLimits?: MetaLimits
  /** As an edge with MetaServer. */
  readonly keepsServices?: boolean
  /** What the node says of itself; by default only that it is connected. */
  readonly node?: (ports: { readonly bus: Bus; readonly clock: FakeClock }) => NodeSelf
  /** Another cloud than the scripted one. */
  readonly accept?: (pair: LinkPair) => void
  /** That this cloud lives in. */
  readonly clock?: FakeClock
  /** Told before the modules start, when the bus is still empty. */
  readonly prepare?: (bus: Bus) => void
}

/** MetaManager and EdgeHub on virtual time, with a scripted cloud at the other end of a link in memory. */
export async function startEdge(options: BenchOptions = {}): Promise<EdgeBench> {
  const { after, isSkerry = true, isReachable = true, incarnation = 0, prepare, userMessages, metaLimits } = options
  const clock = options.clock ?? after?.clock ?? new FakeClock()
  const random = countingRandom(after ? 5000 : 0)
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  const store = memoryStore([metaStoreDomain, userStoreDomain, callStoreDomain], after?.store)
  const frames = createFrameFactory({ clock, random })
  const cloud = after?.cloud ?? createScriptedCloud(frames)
  const dialer = createMemoryDialer(clock, options.accept ?? ((pair) => cloud.accept(pair)))
  dialer.isSkerry = isSkerry
  dialer.isReachable = isReachable
  prepare?.(bus)
  const ports = { store, bus, frames, nodeName: 'edge-1', clock, random, log }
  const meta = createMetaManager({ ...ports, ...(metaLimits ? { limits: metaLimits } : {}) })
  const mqtt = new ScriptedEventBus()
  const userUplink = userMessages && new UserUplink({ ...ports, eventBus: mqtt, limits: userMessages })
  const { services = [] } = options
  const serviceLimits = { services, maxConcurrent: 64, maxRequestBytes: 10_000_000, maxAnswerBytes: 10_000_000 }
  const stored = options.storedCalls ?? { maxMessages: 1000, maxBytes: 10_000_000, maxAgeHours: 24 }
  const limits = { ...serviceLimits, stored }
  const serviceBus = new ServiceBus({ ...ports, limits, listener: options.listener })
  const uplinks = { serviceBus, ...(userUplink ? { userUplink } : {}) }
  const node = options.node?.(ports)
  const hub = createEdgeHub({
    ...ports,
    ...uplinks,
    ...(node ? { node } : {}),
    keepsServices: options.keepsServices ?? false,
    dialer,
    meta,
    incarnation,
    version: '0.1.0',
  })
  const scopes: ManagedScope[] = []
  for (const module of [...(userUplink ? [userUplink] : []), serviceBus, meta, hub]) {
    const onCrash = (error: unknown) => log.error('crashed', { error })
    const scope = createScope(module.name, { clock, log, deadline: seconds(5), onCrash })
    scopes.unshift(scope)
    await module.start(scope)
  }
  await clock.advance(ms(1))
  return {
    clock,
    bus,
    log,
    store,
    dialer,
    cloud,
    hub,
    serviceBus,
    meta,
    mqtt,
    advance: (milliseconds = 1) => clock.advance(ms(milliseconds)),
    async stop() {
      for (const scope of scopes) {
        const closing = scope.close(seconds(5))
        await clock.advance(ms(1))
        await closing
      }
    },
  }
}

/** Same sequence in each run; never twice the same id. */
export function countingRandom(start = 0): Random {
  let count = start
  return {
    next: () => 0.5,
    bytes: (length) => new Uint8Array(length).fill(++count),
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
  }
}

export function pumpDevice(name = 'pump-1', resourceVersion = '10', node = 'edge-1'): Device {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion, generation: 1 },
    spec: {
      deviceModelRef: { name: 'pump' },
      nodeName: node,
      protocol: { protocolName: 'modbus' },
      properties: [{ name: 'speed' }],
    },
  }
}

export function pumpModel(unit = 'rpm', resourceVersion = '5'): DeviceModel {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'DeviceModel',
    metadata: { name: 'pump', namespace: 'default', uid: 'uid-model', resourceVersion },
    spec: { properties: [{ name: 'speed', type: 'INT', unit }] },
  }
}

export function twinOf(name: string, revision: number, over: Partial<Twin> = {}): Twin {
  const version = { cloud: 1, edge: revision }
  const reported = { value: String(revision), timestamp: 7, sourceTime: 6, quality: 'good' as const, version }
  return {
    id: `default/${name}`,
    uid: `uid-${name}`,
    description: '',
    generation: 1,
    state: 'online',
    properties: {
      speed: { type: 'int', modelType: 'INT', declared: true, optional: false, writable: false, reported },
    },
    revision,
    ...over,
  }
}

export function setTwin(bus: Bus, twin: Twin): void {
  bus.set(twins, twin.id, twin)
}
