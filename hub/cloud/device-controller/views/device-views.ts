import { type Device, type DeviceStatus, deviceIdOf, splitDeviceId } from '../../../../schemas/index.ts'
import type { Informer } from '../../kubernetes/index.ts'
import { isOwned } from '../status/status-writer.ts'
import { DeviceView } from './device-view.ts'

/** The views of all devices that were looked at. */
export class DeviceViews {
  readonly #statuses: Informer<DeviceStatus>
  readonly #views = new Map<string, DeviceView>()

  constructor(statuses: Informer<DeviceStatus>) {
    this.#statuses = statuses
  }

  /** Of this incarnation of the device. */
  of(device: Device): DeviceView {
    const id = deviceIdOf(device.metadata)
    const known = this.#views.get(id)
    if (known && known.uid === (device.metadata.uid ?? '')) return known
    const view = new DeviceView(device, this.statusOf(device))
    this.#views.set(id, view)
    return view
  }

  /** The DeviceStatus of this incarnation; one of a deleted namesake is none. */
  statusOf(device: Device): DeviceStatus | undefined {
    const status = this.#statuses.get(splitDeviceId(deviceIdOf(device.metadata)))
    return status && isOwned(status, device) ? status : undefined
  }

  delete(id: string): void {
    this.#views.delete(id)
  }
}
