import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import {
  createLocalBus,
  type EventBus,
  type MqttMessage,
  type PublishOptions,
  type RetainedMessage,
  type RetainedView,
  type ViewHandle,
} from '../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../platform/health/index.ts'
import { createScope, UnavailableError } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import type { Row, Store, StoreCall } from '../../platform/store/index.ts'
import { type Random, seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import {
  assignedDevices,
  type Device,
  type DeviceModel,
  deviceIdOf,
  listed,
  type MsgAttributes,
  type MsgDeviceState,
  type MsgHead,
  type MsgMember,
  type MsgTwin,
} from '../../schemas/index.ts'
import { createDeviceTwinModule, TWIN_LIMITS, type TwinLimits, twinStoreDomain } from '../index.ts'

export const LAMP = '$hw/events/device/default/lamp'

/** What was said on MQTT. */
export interface Said {
  readonly topic: string
  readonly message: Message
}

/** Everything that a message of the twin topics may hold. */
export interface Message extends MsgHead {
  readonly device?: MsgDeviceState['device']
  readonly code?: number
  readonly reason?: string
  readonly twin: Readonly<Record<string, (MsgTwin & { last?: MsgTwin; current?: MsgTwin }) | null>>
  readonly delta?: Readonly<Record<string, string>>
  readonly devices?: readonly MsgMember[]
  readonly attributes?: MsgAttributes['attributes']
  readonly added_devices?: readonly MsgMember[] | null
  readonly removed_devices?: readonly MsgMember[] | null
}

export interface StartOptions {
  readonly disk?: MemoryStore
  readonly devices?: readonly (readonly [Device, DeviceModel?])[]
  readonly clock?: FakeClock
  /** MetaManager has listed all devices; default true. */
  readonly isListed?: boolean
  readonly limits?: TwinLimits
  readonly metrics?: Metrics
}

/** The module on a broker, a disk and a bus of the test, with one lamp. */
export async function startTwins(t: TestContext, options: StartOptions = {}) {
  const {
    disk = new MemoryStore(),
    devices = [[lamp(), lampModel()]],
    clock = new FakeClock(),
    isListed = true,
    limits = TWIN_LIMITS,
    metrics = silentMetrics,
  } = options
  const log = memoryLogger()
  const bus = createLocalBus(clock, log)
  const mqtt = new ScriptedEventBus()
  let count = 0
  const random: Random = { next: () => 0.5, bytes: (length) => new Uint8Array(length), uuid: () => `uuid-${++count}` }
  const scope = createScope('DeviceTwin', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const stop = () => scope[Symbol.asyncDispose]()
  t.after(stop)
  const assign = (device: Device, model?: DeviceModel) =>
    bus.set(assignedDevices, deviceIdOf(device.metadata), model ? { device, model } : { device })
  for (const [device, model] of devices) assign(device, model)
  if (isListed) bus.set(listed, 'devices', true)
  const module = createDeviceTwinModule({
    ...{ store: disk, bus, eventBus: mqtt, nodeName: 'edge-1' },
    ...{ clock, random, log, metrics, limits },
  })
  await module.start(scope)
  await settle()
  return { bus, mqtt, disk, clock, log, assign, stop }
}

/** Lets everything run that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The EventBus without a network: `send` is a client, `said` what the edge published. */
export class ScriptedEventBus implements EventBus {
  readonly said: Said[] = []
  /** The same as it went, JSON or not. */
  readonly publications: {
    readonly topic: string
    readonly payload: string | Uint8Array
    readonly options: PublishOptions | undefined
  }[] = []
  /** Why it takes nothing. */
  failure: string | undefined
  /** Changes of the view. */
  readonly shown: (readonly [topic: string, payload: string])[] = []
  /** Somebody is subscribed to everything. */
  hasListeners = true
  /** Somebody is subscribed to the view. */
  hasViewers = true
  #view: RetainedView | undefined
  readonly #handlers = new Map<string, (message: MqttMessage) => Promise<void>>()

  isWatched(): boolean {
    return this.hasListeners
  }

  async publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void> {
    if (this.failure !== undefined) throw new Error(this.failure)
    const text = Buffer.from(payload).toString()
    if (/^[[{"\d]/.test(text)) this.said.push({ topic, message: JSON.parse(text) })
    this.publications.push({ topic, payload, options })
  }

  handle(filter: string, handler: (message: MqttMessage) => Promise<void>): Disposable {
    this.#handlers.set(filter, handler)
    return { [Symbol.dispose]: () => void this.#handlers.delete(filter) }
  }

  view(_prefix: string, view: RetainedView): ViewHandle {
    this.#view = view
    const hasViewers = () => this.hasViewers
    return {
      get hasWatchers() {
        return hasViewers()
      },
      isWatched: hasViewers,
      show: (topic, payload) => void this.shown.push([topic, Buffer.from(payload).toString()]),
      [Symbol.dispose]: () => {
        this.#view = undefined
      },
    }
  }

  /** What a client would find retained. */
  retainedMessages(filter: string): AsyncIterable<RetainedMessage> | Iterable<RetainedMessage> {
    return this.#view?.messages(filter) ?? []
  }

  /** The same as `topic payload`. */
  async retained(filter: string): Promise<readonly string[]> {
    const found = []
    for await (const { topic, payload } of this.retainedMessages(filter)) {
      found.push(`${topic} ${Buffer.from(payload).toString()}`)
    }
    return found
  }

  /** Settles when the receipt would be given. */
  async send(topic: string, payload: object | string, from: Partial<MqttMessage> = {}): Promise<void> {
    const isBytes = payload instanceof Uint8Array || typeof payload === 'string'
    const bytes = Buffer.from(isBytes ? payload : JSON.stringify(payload))
    for (const [filter, handler] of this.#handlers) {
      if (!matches(filter, topic)) continue
      await handler({ topic, payload: bytes, qos: 1, retain: false, client: 'test', ...from })
    }
  }

  /** What was said since the last time on topics that end so. */
  take(ending = ''): readonly Said[] {
    const taken = this.said.filter(({ topic }) => topic.endsWith(ending))
    this.said.length = 0
    return taken
  }

  /** Sends and gives the one message on `<topic>/result`. */
  async ask(topic: string, payload: object | string): Promise<Message> {
    this.said.length = 0
    await this.send(topic, payload)
    const [answer, ...more] = this.said.filter((said) => said.topic === `${topic}/result`)
    assert.ok(answer && more.length === 0, `one answer on ${topic}/result`)
    return answer.message
  }
}

function matches(filter: string, topic: string): boolean {
  const parts = topic.split('/')
  const wanted = filter.split('/')
  const isOpen = wanted.at(-1) === '#' && parts.length >= wanted.length - 1
  return (
    (isOpen || wanted.length === parts.length) &&
    wanted.every((part, index) => part === '#' || part === '+' || part === parts[index])
  )
}

/** A disk that can be held, filled and kept over a restart. */
export class MemoryStore implements Store {
  readonly rows = new Map<string, string>()
  writes = 0
  failure: Error | undefined
  #held: (() => void)[] | undefined

  async write(calls: readonly StoreCall[]): Promise<void> {
    this.writes++
    const held = this.#held
    if (held) await new Promise<void>((resolve) => held.push(resolve))
    if (this.failure) throw this.failure
    for (const { statement, parameters } of calls) {
      const [id, document] = parameters.map(String)
      assert.ok(id !== undefined && statement.startsWith('twin.'))
      if (statement === 'twin.remove') this.rows.delete(id)
      else if (document !== undefined) this.rows.set(id, document)
    }
  }

  async read({ statement }: StoreCall): Promise<readonly Row[]> {
    assert.ok(statement.slice('twin.'.length) in twinStoreDomain.statements)
    return [...this.rows].map(([id, document]) => ({ id, document }))
  }

  fill(): void {
    this.failure = new UnavailableError('The disk is full', { code: 'PLATFORM_STORE_FULL' })
  }

  /** Writes wait until the returned function is called. */
  hold(): () => void {
    const held: (() => void)[] = []
    this.#held = held
    return () => {
      this.#held = undefined
      for (const go of held) go()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.rows.clear()
  }
}

export interface LampOptions {
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly generation?: number
  readonly brightness?: string
}

export function lamp({
  namespace = 'default',
  name = 'lamp',
  uid = 'u-1',
  generation = 1,
  brightness,
}: LampOptions = {}) {
  const desired = brightness === undefined ? {} : { desired: { value: brightness } }
  const device: Device = {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { namespace, name, uid, generation, labels: { description: 'desk lamp' } },
    spec: {
      deviceModelRef: { name: 'lamp' },
      nodeName: 'edge-1',
      properties: [{ name: 'brightness', ...desired }, { name: 'power' }],
    },
  }
  return device
}

export function lampModel(maximum = '100'): DeviceModel {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'DeviceModel',
    metadata: { namespace: 'default', name: 'lamp' },
    spec: {
      protocol: 'modbus',
      properties: [
        { name: 'brightness', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum },
        { name: 'power', type: 'FLOAT', accessMode: 'ReadOnly' },
      ],
    },
  }
}
