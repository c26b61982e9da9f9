import { createHash } from 'node:crypto'
import type { Clock, Random } from '../../../../platform/time/index.ts'
import {
  type CloudIntents,
  DEVICE_API_VERSION,
  type Device,
  type DeviceExtra,
  type DeviceModel,
  deviceIdOf,
  type Frame,
  GROUPS,
  type KubeObject,
  type MembershipDevice,
  MODULES,
  OPERATIONS,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { Delivery, NodeSource } from '../../cloudhub/delivery.ts'
import type { DeviceIndex } from '../device-index.ts'
import type { IntentLedger } from '../intents/intent-ledger.ts'
import { notConvertible, withoutOrigin } from './convertible.ts'

export interface DeviceSourcePorts {
  readonly index: DeviceIndex
  readonly ledger: IntentLedger
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
}

/** Deleted objects remembered for edges that want them whole. */
const DEPARTED_BOUND = 1000

/** Devices and their models, as each node should have them. */
export function createDeviceSource(ports: DeviceSourcePorts): NodeSource & Disposable {
  const { index, frames, clock, random } = ports
  const departed = new Map<string, KubeObject>()
  const remember = (object: KubeObject) => {
    departed.set(object.metadata.uid ?? '', object)
    const [oldest] = departed.keys()
    if (departed.size > DEPARTED_BOUND && oldest !== undefined) departed.delete(oldest)
  }
  const subscriptions = [
    index.devices.onChange((now, before) => !now && before && remember(deviceForEdge(before))),
    index.models.onChange((now, before) => !now && before && remember(modelForEdge(before))),
  ]
  /** Members as told to the present session of each node. */
  const told = new Map<string, { readonly session: string; readonly members: ReadonlyMap<string, MembershipDevice> }>()

  const deliverDevice = createDeliverer(ports)

  const membership = (added: readonly MembershipDevice[], removed: readonly MembershipDevice[]): Frame =>
    frames.make(
      { source: MODULES.deviceController, group: GROUPS.twin, operation: OPERATIONS.update, resource: 'membership' },
      {
        event_id: random.uuid(),
        timestamp: Math.trunc(clock.now()),
        added_devices: added.length > 0 ? added.map((member) => ({ ...member })) : null,
        removed_devices: removed.length > 0 ? removed.map((member) => ({ ...member })) : null,
      },
    )

  const servedOn = (node: string) =>
    index.onNode(node).filter((device) => notConvertible(device, index.modelOf(device)) === undefined)

  return {
    name: 'devices',
    [Symbol.dispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
    },
    kinds: ['DeviceModel', 'Device'],
    isReady: () => index.devices.isSynced && index.models.isSynced,
    addressOf: (object) => ({
      resource: `${object.metadata.namespace ?? 'default'}/${object.kind.toLowerCase()}/${object.metadata.name}`,
      source: MODULES.deviceController,
    }),
    departed: (uid) => departed.get(uid),
    noticesFor(node, session) {
      const before = told.get(node)
      const known = before?.session === session ? before.members : new Map<string, MembershipDevice>()
      const served = servedOn(node)
      if (served.length === known.size && served.every(({ metadata }) => known.has(deviceIdOf(metadata)))) return []
      const members = new Map(served.map((device) => [deviceIdOf(device.metadata), memberOf(device)]))
      told.set(node, { session, members })
      const added = [...members].flatMap(([id, member]) => (known.has(id) ? [] : [member]))
      const removed = [...known].flatMap(([id, member]) => (members.has(id) ? [] : [member]))
      const frames: Frame[] = []
      if (removed.length > 0) frames.push(membership([], removed))
      if (added.length > 0) frames.push(membership(added, []))
      return frames
    },
    deliveriesFor(node) {
      const devices = servedOn(node)
      const models = new Map<string, DeviceModel>()
      for (const device of devices) {
        const model = index.modelOf(device)
        if (model) models.set(model.metadata.uid ?? '', model)
      }
      return [...[...models.values()].map(deliverModel), ...devices.map(deliverDevice)]
    },
  }
}

function deliverModel(model: DeviceModel): Delivery {
  const object = modelForEdge(model)
  const resource = `${model.metadata.namespace ?? 'default'}/devicemodel/${model.metadata.name}`
  return { object, resource, source: MODULES.deviceController, version: versionOf(model) }
}

/** A node is compared as a whole whenever one of its devices changes: what belongs to the others is kept. */
function createDeliverer({ index, ledger }: DeviceSourcePorts): (device: Device) => Delivery {
  const made = new WeakMap<Device, { readonly delivery: Delivery; readonly intents: CloudIntents }>()
  return (device) => {
    const companion = index.modelOf(device)?.metadata.uid
    const intents = ledger.of(device)
    const known = made.get(device)
    if (known && known.delivery.companion === companion && known.intents === intents) return known.delivery
    const object = deviceForEdge(device)
    const resource = `${device.metadata.namespace ?? 'default'}/device/${device.metadata.name}`
    const version = deviceVersion(device, intents)
    const extra: DeviceExtra = { intents }
    const delivery: Delivery = {
      ...{ object, resource, source: MODULES.deviceController, version, extra, isExclusive: true },
      ...(companion ? { companion } : {}),
    }
    made.set(device, { delivery, intents })
    return delivery
  }
}

/**
 * What a node has to acknowledge of a device. Differs exactly when the device has to be sent again: also where a process dates an
 * intent anew, because the one that dated it before has told it and died before it wrote it down.
 */
export function deviceVersion(device: Device, intents: CloudIntents = {}): string {
  const dates = Object.entries(intents).map(([name, { generation }]) => [name, generation])
  return versionOf(device, { ...legacyReport(device), ...(dates.length === 0 ? {} : { intents: dates.sort() }) })
}

/** Generation, because status reports move the resourceVersion; plus our own annotations, which carry policies for the edge. */
function versionOf(object: KubeObject, more: object = {}): string {
  const { annotations = {} } = withoutOrigin(object).metadata
  const own = Object.entries(annotations).filter(([key]) => key.startsWith('skerry.dev/'))
  const { generation, resourceVersion } = object.metadata
  const base = generation === undefined ? `r${resourceVersion ?? ''}` : `g${generation}`
  const extra = [...own.sort(([a], [b]) => (a < b ? -1 : 1)), ...Object.entries(more)]
  if (extra.length === 0) return base
  return `${base}-${createHash('sha256').update(JSON.stringify(extra)).digest('hex').slice(0, 12)}`
}

/** The whole Device, but of its status only what an edge reads: the legacy report fields of KubeEdge 1.19 to 1.22. */
function deviceForEdge(device: Device): KubeObject {
  return Object.assign(
    { ...withoutOrigin(device), apiVersion: DEVICE_API_VERSION, kind: 'Device' },
    { status: legacyReport(device) },
  )
}

function modelForEdge(model: DeviceModel): KubeObject {
  return { ...withoutOrigin(model), apiVersion: DEVICE_API_VERSION, kind: 'DeviceModel' }
}

function legacyReport(device: Device) {
  if (device.spec.stateReport || !device.status) return {}
  const { reportToCloud, reportCycle } = device.status
  return {
    ...(reportToCloud === undefined ? {} : { reportToCloud }),
    ...(reportCycle === undefined ? {} : { reportCycle }),
  }
}

function memberOf(device: Device): MembershipDevice {
  const description = device.metadata.labels?.['description']
  const { name } = device.metadata
  return { id: deviceIdOf(device.metadata), name, ...(description === undefined ? {} : { description }) }
}
