import { ConflictError } from '../../../../platform/lifecycle/index.ts'
import { DEVICE_API_VERSION, type Device, type DeviceStatus, type KubeObject } from '../../../../schemas/index.ts'
import {
  DEVICE_STATUSES,
  DEVICES,
  type Informer,
  type Kubernetes,
  outdatedDefinition,
  reasonOfError,
} from '../../kubernetes/index.ts'
import type { StatusChange } from './status-plan.ts'

export interface StatusWriterPorts {
  readonly kubernetes: Kubernetes
  readonly devices: Informer<Device>
  readonly statuses: Informer<DeviceStatus>
}

const NO_STATUS = { definition: 'devices.devices.kubeedge.io', detail: 'it has no subresource status' }

/** The only writer of Device status and DeviceStatus. Each call is one write at most, except where an object is in the way. */
export class StatusWriter {
  readonly #ports: StatusWriterPorts

  constructor(ports: StatusWriterPorts) {
    this.#ports = ports
  }

  /**
   * Nothing when the device has changed meanwhile, which the next attempt sees. So a status never stands beside a spec that its
   * writer did not know, and an intent can be told from it what its author saw.
   */
  async writeDevice(device: Device, status: object, signal: AbortSignal): Promise<Device | undefined> {
    const { kubernetes, devices } = this.#ports
    const options = { type: 'merge', subresource: 'status' } as const
    try {
      const written = await kubernetes.patch(DEVICES, addressOf(device), seenAs(device, { status }), options, signal)
      devices.absorb(written)
      return written
    } catch (error) {
      if (reasonOfError(error) === 'Conflict') {
        const fresh = await kubernetes.get(DEVICES, addressOf(device), signal)
        if (fresh) devices.absorb(fresh)
        return undefined
      }
      if (reasonOfError(error) !== 'NotFound') throw error
      // Deleted meanwhile, or a CRD of KubeEdge's, whose Device has no status subresource.
      if (await kubernetes.get(DEVICES, addressOf(device), signal)) throw outdatedDefinition(NO_STATUS, error)
      return undefined
    }
  }

  /**
   * Merge patch of the main resource, which has no subresource; `extensions` of third parties stay. Nothing when somebody else
   * has changed it meanwhile.
   */
  async writeStatus(
    device: Device,
    known: DeviceStatus | undefined,
    change: StatusChange,
    signal: AbortSignal,
  ): Promise<DeviceStatus | undefined> {
    if (!known || !isOwned(known, device)) return this.#make(device, change, signal)
    const { kubernetes, statuses } = this.#ports
    const { status, annotations } = change
    const body = { ...(status ? { status } : {}), ...(annotations ? { metadata: { annotations } } : {}) }
    try {
      return await kubernetes.patch(DEVICE_STATUSES, addressOf(device), seenAs(known, body), { type: 'merge' }, signal)
    } catch (error) {
      if (!['Conflict', 'NotFound'].includes(reasonOfError(error) ?? '')) throw error
      const fresh = await kubernetes.get(DEVICE_STATUSES, addressOf(device), signal)
      if (fresh) statuses.absorb(fresh)
      return fresh ? undefined : this.#make(device, change, signal)
    }
  }

  /** The DeviceStatus of the device, made where it is missing. */
  async #make(device: Device, change: StatusChange, signal: AbortSignal): Promise<DeviceStatus | undefined> {
    const { kubernetes, statuses } = this.#ports
    const at = addressOf(device)
    try {
      return await kubernetes.create(DEVICE_STATUSES, at.namespace, newStatus(device, change), signal)
    } catch (error) {
      if (reasonOfError(error) !== 'AlreadyExists') throw error
    }
    const present = await kubernetes.get(DEVICE_STATUSES, at, signal)
    if (!present) throw leftover(device)
    if (!isOwned(present, device)) {
      // Without any owner it is of an older KubeEdge or of a person: adopted. One of a deleted namesake goes away first.
      if ((present.metadata.ownerReferences ?? []).length > 0) {
        await kubernetes.delete(DEVICE_STATUSES, at, { uid: present.metadata.uid ?? '' }, signal)
        throw leftover(device)
      }
      const body = seenAs(present, { metadata: { ownerReferences: [ownerOf(device)] } })
      statuses.absorb(await kubernetes.patch(DEVICE_STATUSES, at, body, { type: 'merge' }, signal))
      return undefined
    }
    statuses.absorb(present)
    return undefined
  }
}

/** A patch for the version that was looked at, and no other. */
function seenAs({ metadata }: KubeObject, body: { readonly metadata?: object; readonly status?: object }): object {
  const { resourceVersion } = metadata
  return resourceVersion === undefined ? body : { ...body, metadata: { ...body.metadata, resourceVersion } }
}

export function isOwned(status: DeviceStatus, device: Device): boolean {
  return (status.metadata.ownerReferences ?? []).some(({ uid }) => uid === device.metadata.uid)
}

function addressOf(device: Device) {
  return { namespace: device.metadata.namespace ?? 'default', name: device.metadata.name }
}

function newStatus(device: Device, { status = {}, annotations }: StatusChange): object {
  const metadata = { ...addressOf(device), ownerReferences: [ownerOf(device)] }
  return {
    apiVersion: DEVICE_API_VERSION,
    kind: 'DeviceStatus',
    metadata: annotations ? { ...metadata, annotations } : metadata,
    spec: {},
    status,
  }
}

function ownerOf(device: Device) {
  const { name, uid = '' } = device.metadata
  return { apiVersion: DEVICE_API_VERSION, kind: 'Device', name, uid, controller: true, blockOwnerDeletion: true }
}

function leftover(device: Device): ConflictError {
  return new ConflictError('the DeviceStatus of a deleted device is still there', {
    code: 'HUB_DEVICE_STATUS_LEFTOVER',
    fields: { device: `${device.metadata.namespace}/${device.metadata.name}` },
  })
}
