import type { Clock } from '../../../../platform/time/index.ts'
import { type CloudIntents, type Device, deviceIdOf } from '../../../../schemas/index.ts'
import type { DeviceIndex } from '../device-index.ts'
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
    // A status, which is most of what changes, holds no intent.
    const { generation } = now.metadata
    const isOld = generation !== undefined && generation === before?.metadata.generation && this.#keptOf(now)
    if (!isOld && this.#index.models.isSynced) this.#take(now)
  }

  /** Of a device as the API shows it now. */
  of(device: Device): CloudIntents {
    return this.#keptOf(device) ?? this.#take(device)
  }

  #keptOf({ metadata }: Device): CloudIntents | undefined {
    const kept = this.#kept.get(deviceIdOf(metadata))
    return kept?.uid === (metadata.uid ?? '') ? kept.intents : undefined
  }

  #take(device: Device): CloudIntents {
    const kept = this.#keptOf(device)
    const model = this.#index.modelOf(device)
    const intents = intentsOf(device, model, kept ?? readIntents(device), this.#clock.now())
    const { namespace = 'default', name, uid = '' } = device.metadata
    // Who asks may still hold one that is gone.
    const isPresent = this.#index.devices.get({ namespace, name })?.metadata.uid === device.metadata.uid
    if (intents !== kept && isPresent) this.#kept.set(deviceIdOf(device.metadata), { uid, intents })
    return intents
  }
}
