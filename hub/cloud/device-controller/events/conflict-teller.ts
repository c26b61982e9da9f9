import type { Metrics } from '../../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Clock, Random } from '../../../../platform/time/index.ts'
import { type Device, type StatusConflict, splitDeviceId } from '../../../../schemas/index.ts'
import type { Informer } from '../../kubernetes/index.ts'
import { conflictNote } from '../conditions/agreement.ts'
import type { DeviceView } from '../views/device-view.ts'
import type { DeviceViews } from '../views/device-views.ts'
import { conflictsForDevice } from '../views/twin-view.ts'
import type { EventRecorder } from './event-recorder.ts'

export interface ConflictTellerPorts {
  readonly devices: Informer<Device>
  readonly views: DeviceViews
  readonly events: EventRecorder
  /** Conflicts of this device may be put on record. */
  readonly onTold: (id: string) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

/**
 * An Event for each conflict before it is on record: what is on record was told, also by an earlier process. What the API does not
 * take is tried again, and holds nothing else up.
 */
export class ConflictTeller {
  readonly #ports: ConflictTellerPorts
  readonly #queue: Reconciler
  /** Devices whose conflicts are being told, or are tried again after a wait. */
  readonly #asked = new Set<string>()

  constructor(ports: ConflictTellerPorts) {
    this.#ports = ports
    this.#queue = createReconciler({
      name: 'conflicts',
      workers: 4,
      ...ports,
      reconcile: (id, signal) => this.#tell(id, signal),
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal)
  }

  tell(id: string): void {
    if (this.#asked.has(id)) return
    this.#asked.add(id)
    // A full queue takes nothing: the next look at the device asks again.
    if (!this.#queue.enqueue(id)) this.#asked.delete(id)
  }

  async #tell(id: string, signal: AbortSignal): Promise<void> {
    const { devices, views, onTold } = this.#ports
    const device = devices.get(splitDeviceId(id))
    if (device) await this.#tellAll(device, views.of(device), signal)
    this.#asked.delete(id)
    if (device) onTold(id)
  }

  async #tellAll(device: Device, view: DeviceView, signal: AbortSignal): Promise<void> {
    for (const conflict of untold(device, view)) {
      await this.#ports.events.recordOnce(device, conflictNote(conflict), conflict.id, signal)
      // Those that are no longer spoken of need not be remembered.
      const known = conflictsForDevice(device, view.twins).filter((each) => view.told.has(each.id))
      view.told = new Set([...known, conflict].map((each) => each.id))
    }
  }
}

export function untold(device: Device, view: DeviceView): readonly StatusConflict[] {
  return conflictsForDevice(device, view.twins).filter(({ id }) => !view.told.has(id))
}
