import { silentLogger } from '../../../platform/log/index.ts'
import { ms, type Random, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import {
  DEVICE_API_VERSION,
  type Device,
  type DeviceModel,
  type Frame,
  type Json,
  type ModelProperty,
} from '../../../schemas/index.ts'
import { Hub } from '../cloudhub/hub.ts'
import type { Session } from '../cloudhub/session.ts'
import { SyncRecords } from '../cloudhub/sync-records.ts'
import { DeviceController } from '../device-controller/controller.ts'
import { createInformer } from '../kubernetes/informer.ts'
import type { ResourceType } from '../kubernetes/kubernetes.ts'
import {
  CLUSTER_OBJECT_SYNCS,
  DEVICE_MODELS,
  DEVICE_STATUSES,
  DEVICES,
  LEASES,
  NODES,
  OBJECT_SYNCS,
} from '../kubernetes/resources.ts'
import { FakeKubernetes } from './fake-kubernetes.ts'

/** Same sequence in each run. */
export function countingRandom(): Random {
  let count = 0
  return {
    next: () => 0.5,
    bytes: (length) => new Uint8Array(length).fill(++count),
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
  }
}

/** One connected edge, scripted: keeps what it gets and acknowledges it at once unless told otherwise. */
export interface ScriptedEdge {
  readonly received: Frame[]
  /** Frames with these resources get no acknowledgement. */
  readonly deaf: Set<string>
  closed: string | undefined
  /** `id`: of the frame, where it is not one of many. */
  say(route: Frame['route'], content: Json, id?: string): Frame
  acknowledge(frame: Frame): void
  /** With the id of the frame as parent. */
  answer(frame: Frame, content: Json, route?: Frame['route']): void
  disconnect(): void
  /** See Session.room. */
  room(): Promise<void> | undefined
}

export interface ConnectOptions {
  readonly skerry?: boolean
  readonly epoch?: string
  /** Default: as an edge without MetaServer. */
  readonly keepsServices?: boolean
}

export interface CloudHarness {
  readonly kubernetes: FakeKubernetes
  readonly clock: FakeClock
  readonly hub: Hub
  connect(node: string, options?: ConnectOptions): ScriptedEdge
  apply(model: DeviceModel | Device): Promise<void>
  device(name?: string): Promise<Device | undefined>
  settle(milliseconds?: number): Promise<void>
  stop(): Promise<void>
}

/** Of this process: sessions of two cloud halves never have the same id. */
let clouds = 0

/** Hub and DeviceController on the fake Kubernetes and virtual time. A second one on the same Kubernetes is a restart. */
export async function startCloud(kubernetes = new FakeKubernetes(), clock = new FakeClock()): Promise<CloudHarness> {
  const random = countingRandom()
  const log = silentLogger
  const stopping = new AbortController()
  const { signal } = stopping
  const ports = { kubernetes, clock, random, log }
  const informers = {
    devices: createInformer(DEVICES, {}, ports),
    models: createInformer(DEVICE_MODELS, {}, ports),
    statuses: createInformer(DEVICE_STATUSES, {}, ports),
    nodes: createInformer(NODES, {}, ports),
    leases: createInformer(LEASES, { namespace: 'kube-node-lease' }, ports),
    sessionLeases: createInformer(LEASES, { namespace: 'kubeedge' }, ports),
    records: createInformer(OBJECT_SYNCS, {}, ports),
    clusterRecords: createInformer(CLUSTER_OBJECT_SYNCS, {}, ports),
  }
  const records = new SyncRecords({ ...ports, ...informers })
  const hub = new Hub({ ...ports, ...informers, records })
  const controller = new DeviceController({ ...ports, ...informers, hub })
  const work = [...Object.values(informers).map((informer) => informer.run(signal)), hub.run(signal)]
  work.push(controller.run(signal).catch(() => undefined))
  const settle = (milliseconds = 2) => clock.advance(ms(milliseconds))
  await settle()
  let sessions = 0
  const cloud = ++clouds
  return {
    kubernetes,
    clock,
    hub,
    settle,
    connect(node, { skerry = true, epoch = 'db-1', keepsServices = false } = {}) {
      const id = `s${++sessions}-of-${cloud}`
      const peer = { node, skerry, epoch: skerry ? epoch : '', keepsServices, session: id }
      const received: Frame[] = []
      const deaf = new Set<string>()
      const receipt = (frame: Frame): Frame => ({
        header: { msg_id: random.uuid(), parent_msg_id: frame.header.msg_id, timestamp: 1 },
        route: { ...frame.route, operation: 'response' },
        content: 'OK',
      })
      const edge: ScriptedEdge = {
        received,
        deaf,
        closed: undefined,
        say(route, content, id = random.uuid()) {
          const frame = { header: { msg_id: id, timestamp: 1 }, route, content }
          hub.receive(session, frame)
          return frame
        },
        acknowledge: (frame) => hub.receive(session, receipt(frame)),
        answer(frame, content, route) {
          const answered = receipt(frame)
          hub.receive(session, { ...answered, route: { ...answered.route, ...route }, content })
        },
        disconnect: () => hub.disconnect(session, 'test'),
        room: () => session.room(),
      }
      const session: Session = hub.connect(peer, {
        async send(frame) {
          received.push(frame)
          const { group, resource, operation } = frame.route
          if (group !== 'resource' || operation === 'response' || deaf.has(resource ?? '')) return
          queueMicrotask(() => hub.receive(session, receipt(frame)))
        },
        close(reason) {
          edge.closed = reason
        },
      })
      return edge
    },
    async apply(object) {
      const type: ResourceType = object.kind === 'Device' ? DEVICES : DEVICE_MODELS
      const { namespace = 'default', name } = object.metadata
      const present = await kubernetes.get(type, { namespace, name })
      if (present) await kubernetes.patch(type, { namespace, name }, { spec: object.spec }, { type: 'merge' })
      else await kubernetes.create(type, namespace, object)
      await settle()
    },
    device: (name = 'pump-1') => kubernetes.get(DEVICES, { namespace: 'default', name }),
    async stop() {
      hub.endAll('stop')
      stopping.abort(new Error('stop'))
      kubernetes.dropWatches()
      await clock.advance(seconds(0))
      controller[Symbol.dispose]()
      await Promise.all(work)
    },
  }
}

export function pumpModel(properties: readonly ModelProperty[] = PUMP_PROPERTIES): DeviceModel {
  return {
    apiVersion: DEVICE_API_VERSION,
    kind: 'DeviceModel',
    metadata: { name: 'pump', namespace: 'default' },
    spec: { protocol: 'modbus', properties },
  }
}

export function pumpDevice(name = 'pump-1', desired?: string, node = 'edge-1'): Device {
  return {
    apiVersion: DEVICE_API_VERSION,
    kind: 'Device',
    metadata: { name, namespace: 'default' },
    spec: {
      deviceModelRef: { name: 'pump' },
      ...(node === '' ? {} : { nodeName: node }),
      protocol: { protocolName: 'modbus' },
      properties: [
        { name: 'targetSpeed', ...(desired === undefined ? {} : { desired: { value: desired } }) },
        { name: 'speed' },
      ],
    },
  }
}

const PUMP_PROPERTIES: readonly ModelProperty[] = [
  { name: 'targetSpeed', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '3000' },
  { name: 'speed', type: 'INT', accessMode: 'ReadOnly' },
]
