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
  const byNode = new DeviceGroups()
  const byModel = new DeviceGroups()
  const subscription = devices.onChange((now, before) => {
    const [nodeBefore, nodeNow] = [before?.spec.nodeName ?? '', now?.spec.nodeName ?? '']
    byNode.move(before && { key: nodeBefore, device: before }, now && { key: nodeNow, device: now })
    byModel.move(before && { key: modelKey(before), device: before }, now && { key: modelKey(now), device: now })
  })
  return {
    devices,
    models,
    onNode: (node) => (node === '' ? [] : byNode.of(node)),
    modelOf: (device) => {
      const name = device.spec.deviceModelRef?.name
      return name ? models.get({ namespace: device.metadata.namespace ?? 'default', name }) : undefined
    },
    ofModel: (namespace, name) => byModel.of(`${namespace}/${name}`),
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  }
}

function modelKey(device: Device): string {
  return `${device.metadata.namespace ?? 'default'}/${device.spec.deviceModelRef?.name ?? ''}`
}

interface Placed {
  readonly key: string
  readonly device: Device
}

interface Group {
  readonly devices: Map<string, Device>
  /** In order; absent after a device came or went. */
  ids: readonly string[] | undefined
}

/** Devices by one key. What changes most, the status, moves no device, and an order that stands is not made again. */
class DeviceGroups {
  readonly #groups = new Map<string, Group>()

  move(from: Placed | undefined, to: Placed | undefined): void {
    if (from && from.key !== to?.key) this.#remove(from)
    if (to) this.#put(to)
  }

  /** Ordered by id. */
  of(key: string): readonly Device[] {
    const group = this.#groups.get(key)
    if (!group) return []
    group.ids ??= [...group.devices.keys()].sort()
    return group.ids.flatMap((id) => group.devices.get(id) ?? [])
  }

  #put({ key, device }: Placed): void {
    const group = this.#groups.get(key) ?? { devices: new Map(), ids: undefined }
    const id = deviceIdOf(device.metadata)
    if (!group.devices.has(id)) group.ids = undefined
    group.devices.set(id, device)
    this.#groups.set(key, group)
  }

  #remove({ key, device }: Placed): void {
    const group = this.#groups.get(key)
    if (!group?.devices.delete(deviceIdOf(device.metadata))) return
    group.ids = undefined
    if (group.devices.size === 0) this.#groups.delete(key)
  }
}
