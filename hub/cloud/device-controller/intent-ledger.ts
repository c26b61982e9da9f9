import type { Clock } from '../../../platform/time/index.ts'
import { type CloudIntents, type Device, deviceIdOf } from '../../../schemas/index.ts'
import type { DeviceIndex } from './device-index.ts'
import { intentsOf, readIntents } from './intents.ts'

/** Intents of all devices: what their status says, and what has changed since. Who reads never waits for the API. */
export class IntentLedger {
  readonly #index: DeviceIndex
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly uid: string; readonly intents: CloudIntents }>()

  constructor(index: DeviceIndex, clock: Clock) {
    this.#index = index
    this.#clock = clock
  }

  /** Takes each state of a device in the order in which the API shows them. Waits until the models are there: types count. */
  note(now: Device | undefined, before: Device | undefined): void {
    if (!now) return void (before && this.#kept.delete(deviceIdOf(before.metadata)))
    if (this.#index.models.isSynced) this.#take(now)
  }

  /** Of a device as the API shows it now. */
  of(device: Device): CloudIntents {
    const { uid = '' } = device.metadata
    const kept = this.#kept.get(deviceIdOf(device.metadata))
    return kept?.uid === uid ? kept.intents : this.#take(device)
  }

  #take(device: Device): CloudIntents {
    const id = deviceIdOf(device.metadata)
    const { uid = '' } = device.metadata
    const kept = this.#kept.get(id)
    const before = kept?.uid === uid ? kept.intents : readIntents(device)
    const intents = intentsOf(device, this.#index.modelOf(device), before, this.#clock.now())
    if (intents !== kept?.intents) this.#kept.set(id, { uid, intents })
    return intents
  }
}
