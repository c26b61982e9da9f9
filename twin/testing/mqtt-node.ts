import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { createEdgeHub, createMetaManager, metaStoreDomain, UserUplink, userStoreDomain } from '../../hub/edge/index.ts'
import { createScriptedCloud } from '../../hub/edge/testing/scripted-cloud.ts'
import { createFrameFactory } from '../../hub/link/index.ts'
import { createMemoryDialer } from '../../hub/link/testing/index.ts'
import { type Bus, createLocalBus, type EventBus } from '../../platform/bus/index.ts'
import { createEmbeddedBroker } from '../../platform/bus/mqtt/index.ts'
import { createMetrics } from '../../platform/health/index.ts'
import { createScope, type Module } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { openTestStore } from '../../platform/store/testing/index.ts'
import { systemClock as clock, ms, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { type Device, type DeviceId, type DeviceModel, type Json, twins } from '../../schemas/index.ts'
import { createDeviceTwinModule, twinStoreDomain } from '../index.ts'
import { lamp, lampModel, type Message, type Said } from './edge.ts'

export interface NodeOptions {
  readonly nodeName?: string
  readonly devices?: readonly (readonly [Device, DeviceModel?])[]
  /** Default: reachable. */
  readonly isOnline?: boolean
  readonly isSkerry?: boolean
}

/** An MQTT client that remembers what it heard. */
export interface Listener {
  readonly client: MqttClient
  /** Everything so far, oldest first. */
  readonly heard: readonly Said[]
  /** Resolves with the first message on the topic, from now on or heard before and not taken. */
  next(topic: string): Promise<Message>
  /** Publishes at QoS 1, waits for the receipt, then for the message on `<topic>/result`. */
  ask(topic: string, payload: object | string | Uint8Array): Promise<Message>
  /** Publishes at QoS 1 and settles with the receipt. */
  say(topic: string, payload: object | string | Uint8Array): Promise<void>
  /** What has been heard since the last time; everything that was published before is among it. */
  drain(): Promise<readonly Said[]>
}

/** The edge as MQTT clients and the cloud see it: the real broker, disk, MetaManager, DeviceTwin and EdgeHub, in one process. */
export async function startNode(t: TestContext, options: NodeOptions = {}) {
  const { nodeName = 'edge-1', devices = [[lamp(), lampModel()]], isOnline = true, isSkerry = true } = options
  const log = memoryLogger()
  const metrics = createMetrics()
  const crashes: unknown[] = []
  const scopes: AsyncDisposable[] = []
  const clients: MqttClient[] = []
  t.after(async () => {
    for (const client of clients) client.end(true)
    for (const scope of scopes.reverse()) await scope[Symbol.asyncDispose]()
  })
  const domains = [metaStoreDomain, userStoreDomain, twinStoreDomain]
  const store = await openTestStore(t, domains)
  const bus = createLocalBus(clock, log)
  const frames = createFrameFactory({ clock, random })
  const cloud = createScriptedCloud(frames)
  const dialer = createMemoryDialer(clock, (pair) => cloud.accept(pair))
  dialer.isReachable = isOnline
  dialer.isSkerry = isSkerry
  const broker = createEmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, anonymous: 'full', maxPacketBytes: 1_048_576, maxConnections: 50 },
    ...{ clock, log, metrics },
  })
  const filters: string[] = []
  const eventBus: EventBus = {
    publish: (...call) => broker.eventBus.publish(...call),
    view: (...call) => broker.eventBus.view(...call),
    isWatched: (...call) => broker.eventBus.isWatched(...call),
    handle(filter, handler) {
      filters.push(filter)
      return broker.eventBus.handle(filter, handler)
    },
  }
  const ports = { store, bus, frames, nodeName, clock, random, log, metrics }
  const meta = createMetaManager(ports)
  const twin = createDeviceTwinModule({ ...ports, eventBus })
  const limits = { maxMessages: 10_000, maxBytes: 10_000_000, maxAgeHours: 1 }
  const userUplink = new UserUplink({ ...ports, eventBus, limits })
  const hub = createEdgeHub({ ...ports, dialer, meta, version: '0.1.0', userUplink })
  const start = async (module: Module) => {
    const onCrash = (error: unknown) => void crashes.push(error)
    const scope = createScope(module.name, { clock, log, deadline: seconds(5), onCrash })
    scopes.push(scope)
    await module.start(scope)
  }
  for (const module of [twin, userUplink, broker, meta, hub]) await start(module)

  let version = 0
  const deliver = async (operation: string, resource: string, object: object) => {
    const route = { source: 'devicecontroller', group: 'resource', operation, resource }
    const content: Json = JSON.parse(JSON.stringify(object))
    const reply = await meta.receive(frames.make(route, content, String(++version)))
    assert.equal(reply.content, 'OK')
  }
  const apply = async (device: Device, model?: DeviceModel) => {
    const { namespace = 'default', name } = device.metadata
    if (model) await deliver('insert', `${namespace}/devicemodel/${model.metadata.name}`, inNamespace(model, namespace))
    await deliver('update', `${namespace}/device/${name}`, device)
    if (device.spec.nodeName === nodeName) await adopted(bus, `${namespace}/${name}`)
  }
  const remove = (device: Device) =>
    deliver('delete', `${device.metadata.namespace}/device/${device.metadata.name}`, device)
  for (const [device, model] of devices) await apply(device, model)

  const connect = async (given: IClientOptions = {}): Promise<MqttClient> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0, ...given })
    client.on('error', () => undefined)
    clients.push(client)
    return client
  }
  return {
    ...{ bus, store, cloud, dialer, broker, meta, hub, log, metrics, crashes, filters, apply, remove, connect },
    listen: async (...wanted: readonly string[]) => listenWith(await connect(), wanted),
  }
}

/** There is a twin, whichever. */
async function adopted(bus: Bus, id: DeviceId): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  using _watch = bus.watch(twins, ({ key, value }) => {
    if (key === id && value) resolve()
  })
  await promise
}

/** What another client sent may be anything. */
function messageOf(payload: Uint8Array): Message {
  try {
    return JSON.parse(Buffer.from(payload).toString())
  } catch {
    return { event_id: '', timestamp: 0, twin: {} }
  }
}

function inNamespace(model: DeviceModel, namespace: string): DeviceModel {
  return { ...model, metadata: { ...model.metadata, namespace } }
}

async function listenWith(client: MqttClient, filters: readonly string[]): Promise<Listener> {
  const heard: Said[] = []
  let taken = 0
  const waiting = new Set<() => void>()
  client.on('message', (topic, payload) => {
    heard.push({ topic, message: messageOf(payload) })
    for (const wake of waiting) wake()
  })
  const subscribed = new Set<string>()
  const subscribe = async (filter: string) => {
    if (!subscribed.has(filter)) await client.subscribeAsync(filter, { qos: 1 })
    subscribed.add(filter)
  }
  for (const filter of filters) await subscribe(filter)
  const until = async <T>(read: () => T | undefined, what: string): Promise<T> => {
    const end = clock.monotonic() + 10_000
    for (;;) {
      const value = read()
      if (value !== undefined) return value
      if (clock.monotonic() > end) throw new Error(`${what} did not come within 10 s`)
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      using _timer = clock.after(ms(1000), resolve)
      await promise
      waiting.delete(resolve)
    }
  }
  const used = new Set<Said>()
  const next = async (topic: string): Promise<Message> => {
    const said = await until(() => heard.find((each) => each.topic === topic && !used.has(each)), topic)
    used.add(said)
    return said.message
  }
  const say = async (topic: string, payload: object | string | Uint8Array) => {
    const isBytes = typeof payload === 'string' || payload instanceof Uint8Array
    await client.publishAsync(topic, isBytes ? Buffer.from(payload) : JSON.stringify(payload), { qos: 1 })
  }
  let probes = 0
  return {
    client,
    heard,
    next,
    say,
    async ask(topic, payload) {
      await subscribe(`${topic}/result`)
      for (const each of heard) if (each.topic === `${topic}/result`) used.add(each)
      await say(topic, payload)
      return next(`${topic}/result`)
    },
    async drain() {
      // What goes through the same broker later arrives later.
      const probe = `probe/${client.options.clientId}/${++probes}`
      await subscribe(`probe/${client.options.clientId}/+`)
      await say(probe, {})
      await next(probe)
      const all = heard.slice(taken).filter(({ topic }) => topic !== probe)
      taken = heard.length
      return all
    },
  }
}
