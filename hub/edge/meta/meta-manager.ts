import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type Device,
  type DeviceId,
  type DeviceModel,
  type Frame,
  type Json,
  listed,
  MODULES,
  OPERATIONS,
  splitDeviceId,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { metaChangeOf, supersedes } from './meta-change.ts'
import { type MetaRow, metaRow, putCall, removeCall } from './meta-store.ts'
import { parseAssigned, parseDeviceModel, parseJson } from './parse-device.ts'

export interface MetaManagerPorts {
  readonly store: Store
  readonly bus: Bus
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface MetaManager extends Module {
  /**
   * Takes a downstream frame and gives the reply for the cloud: the acknowledgement after the change is on disk, or an error.
   * Frames of one object are taken in their order; waits for the disk, never for a twin or a mapper.
   */
  receive(frame: Frame): Promise<Frame>
  /** Keeps the object that answered a query; settles when it is on disk. */
  remember(key: string, answer: Frame): Promise<void>
  /** An object as it is on disk. */
  stored(key: string): Json | undefined
}

/** The objects that the cloud has given this node, on disk; devices and their models are put on the bus as one. */
export function createMetaManager(ports: MetaManagerPorts): MetaManager {
  const { store, bus, frames, nodeName, log, metrics = silentMetrics } = ports
  const rows = new Map<string, MetaRow>()
  const devices = new Map<string, Omit<AssignedDevice, 'model'>>()
  const models = new Map<string, DeviceModel>()
  const turns = new Map<string, Promise<unknown>>()
  const applied = metrics.counter({
    name: 'skerry_metamanager_changes_total',
    help: 'Changes from the cloud, by outcome.',
    labels: ['outcome'],
  })
  metrics.gauge({ name: 'skerry_metamanager_objects', help: 'Objects stored.' }).follow(() => rows.size)

  const assign = (key: string, assigned: Omit<AssignedDevice, 'model'> | undefined) => {
    const id = deviceId(key)
    const device = assigned?.device
    if (!device || device.spec.nodeName !== nodeName) return bus.remove(assignedDevices, id)
    const modelName = device.spec.deviceModelRef?.name ?? ''
    const model = models.get(`${device.metadata.namespace ?? 'default'}/devicemodel/${modelName}`)
    bus.set(assignedDevices, id, model ? { ...assigned, model } : assigned)
  }

  const show = (key: string, row: MetaRow | undefined) => {
    const [, type] = key.split('/')
    if (type === 'device') {
      const device = row && parseAssigned(row.value)
      if (row && !device) log.error('A device is not of a form that can be served', { device: deviceId(key) })
      if (device) devices.set(key, device)
      else devices.delete(key)
      assign(key, device)
    } else if (type === 'devicemodel') {
      const model = row && parseDeviceModel(row.value)
      if (model) models.set(key, model)
      else models.delete(key)
      for (const [each, assigned] of devices) if (refersTo(assigned.device, key)) assign(each, assigned)
    }
  }

  const put = async (row: MetaRow) => {
    if (!supersedes(rows.get(row.key), row)) return
    await store.write([putCall(row)])
    rows.set(row.key, row)
    applied.add(1, { outcome: 'stored' })
    show(row.key, row)
  }

  /** Work on one object is done in the order in which it came; other objects do not wait for it. */
  const inTurn = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(key) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => undefined)
    turns.set(key, settled)
    try {
      return await turn
    } finally {
      if (turns.get(key) === settled) turns.delete(key)
    }
  }

  const apply = async (frame: Frame): Promise<Frame> => {
    const change = metaChangeOf(frame)
    if (change.kind === 'bad') {
      applied.add(1, { outcome: 'refused' })
      log.warn('A message of the cloud was not understood', { resource: frame.route.resource, reason: change.reason })
      return frames.refuse(frame, change.reason)
    }
    if (change.kind === 'put') {
      await put(change.row)
    } else if (change.kind === 'remove') {
      const present = rows.get(change.key)
      // A deletion of an earlier object of the same name does not touch the present one.
      if (present && (change.uid === '' || change.uid === present.uid)) {
        await store.write([removeCall(change.key)])
        rows.delete(change.key)
        applied.add(1, { outcome: 'removed' })
        show(change.key, undefined)
      }
    }
    return frames.reply(frame, 'OK')
  }

  return {
    name: 'MetaManager',
    async start() {
      rows.clear()
      devices.clear()
      models.clear()
      for (const raw of await store.read({ statement: 'meta.all', parameters: [] })) {
        const row = metaRow(raw)
        rows.set(row.key, row)
      }
      // Models first, so that each device is shown once and whole.
      const [first, rest] = partition([...rows.values()], (row) => row.type === 'devicemodel')
      for (const row of [...first, ...rest]) show(row.key, row)
      for (const id of [...bus.list(assignedDevices).keys()]) {
        if (!devices.has(deviceKey(id))) bus.remove(assignedDevices, id)
      }
      bus.set(listed, 'devices', true)
    },
    async receive(frame) {
      const key = frame.route.resource ?? ''
      try {
        return await inTurn(key, () => apply(frame))
      } catch (error) {
        applied.add(1, { outcome: 'failed' })
        log.error('A change from the cloud could not be stored', { resource: key, error })
        return frames.refuse(frame, describeError(error), { source: MODULES.metaManager })
      }
    },
    async remember(key, answer) {
      const change = metaChangeOf({ ...answer, route: { operation: OPERATIONS.insert, resource: key } })
      if (change.kind === 'put') await inTurn(key, () => put(change.row))
    },
    stored(key) {
      const row = rows.get(key)
      return row === undefined ? undefined : parseJson(row.value)
    },
  }
}

/** `<namespace>/device/<name>` to `<namespace>/<name>`. */
function deviceId(key: string): string {
  const [namespace = '', , name = ''] = key.split('/')
  return `${namespace}/${name}`
}

function deviceKey(id: DeviceId): string {
  const { namespace, name } = splitDeviceId(id)
  return `${namespace}/device/${name}`
}

function refersTo(device: Device, modelKey: string): boolean {
  return modelKey === `${device.metadata.namespace ?? 'default'}/devicemodel/${device.spec.deviceModelRef?.name ?? ''}`
}

function partition<T>(list: readonly T[], belongs: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [list.filter(belongs), list.filter((item) => !belongs(item))]
}
