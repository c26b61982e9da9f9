import { type Device, type DeviceModel, deviceIdOf } from '../../../schemas/index.ts'
import type { Informer } from '../kubernetes/index.ts'

/** Devices by node and by model. */
export interface DeviceIndex extends Disposable {
  readonly devices: Informer<Device>
  readonly models: Informer<DeviceModel>
  /** Ordered by id. */
  onNode(node: string): readonly Device[]
  modelOf(device: Device): DeviceModel | undefined
  /** Devices that refer to this model, whether it exists or not. */
  ofModel(namespace: string, name: string): readonly Device[]
}

export function createDeviceIndex(devices: Informer<Device>, models: Informer<DeviceModel>): DeviceIndex {
  const byNode = new Map<string, Map<string, Device>>()
  const byModel = new Map<string, Map<string, Device>>()
  const subscription = devices.onChange((now, before) => {
    if (before) {
      remove(byNode, before.spec.nodeName ?? '', before)
      remove(byModel, modelKey(before), before)
    }
    if (now) {
      add(byNode, now.spec.nodeName ?? '', now)
      add(byModel, modelKey(now), now)
    }
  })
  return {
    devices,
    models,
    onNode: (node) => (node === '' ? [] : sorted(byNode.get(node))),
    modelOf: (device) => {
      const name = device.spec.deviceModelRef?.name
      return name ? models.get({ namespace: device.metadata.namespace ?? 'default', name }) : undefined
    },
    ofModel: (namespace, name) => sorted(byModel.get(`${namespace}/${name}`)),
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  }
}

function modelKey(device: Device): string {
  return `${device.metadata.namespace ?? 'default'}/${device.spec.deviceModelRef?.name ?? ''}`
}

function add(index: Map<string, Map<string, Device>>, key: string, device: Device): void {
  const group = index.get(key) ?? new Map<string, Device>()
  group.set(deviceIdOf(device.metadata), device)
  index.set(key, group)
}

function remove(index: Map<string, Map<string, Device>>, key: string, device: Device): void {
  const group = index.get(key)
  group?.delete(deviceIdOf(device.metadata))
  if (group?.size === 0) index.delete(key)
}

function sorted(group: ReadonlyMap<string, Device> | undefined): readonly Device[] {
  if (!group) return []
  return [...group].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, device]) => device)
}
