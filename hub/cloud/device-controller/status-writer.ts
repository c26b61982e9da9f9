import { ConfigError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import {
  type Condition,
  DEVICE_API_VERSION,
  type Device,
  type DeviceConditionsStatus,
  type DeviceStatus,
  type StatusConflict,
  type StatusIntent,
  type StatusTwin,
} from '../../../schemas/index.ts'
import { DEVICE_STATUSES, DEVICES, type Informer, type Kubernetes, reasonOfError } from '../kubernetes/index.ts'

/** What the two objects of one device should say. Absent fields are left as they are. */
export interface WantedStatus {
  readonly conditions: readonly Condition[]
  /** On Device; `unknown` while its node is away. */
  readonly state?: string
  /** On DeviceStatus: what the edge said last. */
  readonly reportedState?: string
  readonly lastOnlineTime?: string
  /** With extras, on Device; undefined when nothing was ever reported. */
  readonly deviceTwins?: readonly StatusTwin[]
  readonly statusTwins?: readonly StatusTwin[]
  readonly intents: readonly StatusIntent[]
  readonly conflicts: readonly StatusConflict[]
}

export interface StatusWriterPorts {
  readonly kubernetes: Kubernetes
  readonly devices: Informer<Device>
  readonly statuses: Informer<DeviceStatus>
}

/** The only writer of Device status and DeviceStatus: at most one patch of each for a call, none where nothing differs. */
export class StatusWriter {
  readonly #ports: StatusWriterPorts

  constructor(ports: StatusWriterPorts) {
    this.#ports = ports
  }

  /** The DeviceStatus of the device, made where it is missing. */
  async ensure(device: Device, signal: AbortSignal): Promise<DeviceStatus> {
    const { kubernetes, statuses } = this.#ports
    const at = addressOf(device)
    const known = statuses.get(at)
    if (known && isOwned(known, device)) return known
    try {
      const made = await kubernetes.create(DEVICE_STATUSES, at.namespace, newStatus(device), signal)
      statuses.absorb(made)
      return made
    } catch (error) {
      if (reasonOfError(error) !== 'AlreadyExists') throw error
    }
    const present = await kubernetes.get(DEVICE_STATUSES, at, signal)
    if (!present) throw leftover(device)
    if (isOwned(present, device)) {
      statuses.absorb(present)
      return present
    }
    // Without any owner it is of an older KubeEdge or of a person: adopted. One of a deleted namesake goes away first.
    if ((present.metadata.ownerReferences ?? []).length > 0) {
      await kubernetes.delete(DEVICE_STATUSES, at, { uid: present.metadata.uid ?? '' }, signal)
      throw leftover(device)
    }
    const body = { metadata: { ownerReferences: [ownerOf(device)] } }
    const adopted = await kubernetes.patch(DEVICE_STATUSES, at, body, { type: 'merge' }, signal)
    statuses.absorb(adopted)
    return adopted
  }

  /** What differs between the wanted and the known status of Device: the body of the next patch, or nothing. */
  deviceChange(device: Device, wanted: WantedStatus): Partial<DeviceConditionsStatus> | undefined {
    const target = {
      conditions: wanted.conditions,
      ...(device.metadata.generation === undefined ? {} : { observedGeneration: device.metadata.generation }),
      ...(wanted.state === undefined ? {} : { state: wanted.state }),
      ...(wanted.lastOnlineTime === undefined ? {} : { lastOnlineTime: wanted.lastOnlineTime }),
      ...(wanted.deviceTwins === undefined ? {} : { twins: wanted.deviceTwins }),
      intents: wanted.intents,
      ...(wanted.conflicts.length === 0 && !device.status?.conflicts ? {} : { conflicts: wanted.conflicts }),
    }
    return changed(target, device.status)
  }

  statusChange(status: DeviceStatus, wanted: WantedStatus) {
    const target = {
      ...(wanted.reportedState === undefined ? {} : { state: wanted.reportedState }),
      ...(wanted.lastOnlineTime === undefined ? {} : { lastOnlineTime: wanted.lastOnlineTime }),
      ...(wanted.statusTwins === undefined ? {} : { twins: wanted.statusTwins }),
    }
    return changed(target, status.status)
  }

  /**
   * False when the device has changed meanwhile, which the next attempt sees. So a status never stands beside a spec that its
   * writer did not know, and an intent can be told from it what its author saw.
   */
  async writeDevice(device: Device, status: object, signal: AbortSignal): Promise<boolean> {
    const { kubernetes, devices } = this.#ports
    const options = { type: 'merge', subresource: 'status' } as const
    const { resourceVersion } = device.metadata
    const body = resourceVersion === undefined ? { status } : { metadata: { resourceVersion }, status }
    try {
      devices.absorb(await kubernetes.patch(DEVICES, addressOf(device), body, options, signal))
      return true
    } catch (error) {
      if (reasonOfError(error) === 'Conflict') {
        const fresh = await kubernetes.get(DEVICES, addressOf(device), signal)
        if (fresh) devices.absorb(fresh)
        return false
      }
      if (reasonOfError(error) !== 'NotFound') throw error
      // Deleted meanwhile, or a CRD of KubeEdge's, whose Device has no status subresource.
      if (await kubernetes.get(DEVICES, addressOf(device), signal)) throw outdated(error)
      return true
    }
  }

  /** Merge patch of the main resource, which has no subresource; `extensions` of third parties stay. */
  async writeStatus(device: Device, status: object, signal: AbortSignal): Promise<void> {
    const { kubernetes, statuses } = this.#ports
    const body = { status }
    statuses.absorb(await kubernetes.patch(DEVICE_STATUSES, addressOf(device), body, { type: 'merge' }, signal))
  }
}

function addressOf(device: Device) {
  return { namespace: device.metadata.namespace ?? 'default', name: device.metadata.name }
}

function newStatus(device: Device): object {
  return {
    apiVersion: DEVICE_API_VERSION,
    kind: 'DeviceStatus',
    metadata: { ...addressOf(device), ownerReferences: [ownerOf(device)] },
    spec: {},
    status: {},
  }
}

function ownerOf(device: Device) {
  const { name, uid = '' } = device.metadata
  return { apiVersion: DEVICE_API_VERSION, kind: 'Device', name, uid, controller: true, blockOwnerDeletion: true }
}

function isOwned(status: DeviceStatus, device: Device): boolean {
  return (status.metadata.ownerReferences ?? []).some(({ uid }) => uid === device.metadata.uid)
}

function outdated(cause: unknown): ConfigError {
  return new ConfigError('the CustomResourceDefinition of Device has no status: apply what `skerry crds` prints', {
    code: 'HUB_CRD_OUTDATED',
    cause,
  })
}

function leftover(device: Device): UnavailableError {
  return new UnavailableError('the DeviceStatus of a deleted device is still there', {
    code: 'HUB_DEVICE_STATUS_LEFTOVER',
    fields: { device: `${device.metadata.namespace}/${device.metadata.name}` },
  })
}

/** Those fields of `target` that `present` does not hold. */
function changed<T extends object>(target: T, present: object | undefined): Partial<T> | undefined {
  const differing = { ...target }
  let any = false
  for (const key of Object.keys(target)) {
    const is: unknown = Reflect.get(present ?? {}, key)
    if (canonical(Reflect.get(target, key)) === canonical(is)) Reflect.deleteProperty(differing, key)
    else any = true
  }
  return any ? differing : undefined
}

/** JSON with sorted keys: an API server may answer with the keys in another order. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ''
  )
}
