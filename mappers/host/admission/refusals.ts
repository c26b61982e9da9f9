import type { Bus } from '../../../platform/bus/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type DeviceId, type DeviceRefusal, deviceRefusals } from '../../../schemas/index.ts'

/** What is said of each device: findings in its own manifest, and what it shares with the others of its connection. */
export class Refusals {
  readonly #bus: Bus
  readonly #log: Logger
  readonly #own = new Map<DeviceId, { readonly generation: number; readonly list: readonly DeviceRefusal[] }>()
  /** Why the line of the device is asked for too much. */
  readonly #overloads = new Map<DeviceId, string>()

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus
    this.#log = log
  }

  set(id: DeviceId, generation: number, list: readonly DeviceRefusal[]): void {
    this.#own.set(id, { generation, list })
    for (const { pointer, message, warning } of list) if (warning) this.#warn(id, pointer, message)
    this.#publish(id)
  }

  /** The same holds of a new generation. */
  renew(id: DeviceId, generation: number): void {
    const own = this.#own.get(id)
    if (!own || own.generation === generation) return
    this.#own.set(id, { generation, list: own.list.map((finding) => ({ ...finding, generation })) })
    if (own.list.length > 0 || this.#overloads.has(id)) this.#publish(id)
  }

  forget(id: DeviceId): void {
    this.#own.delete(id)
    this.#overloads.delete(id)
    this.#bus.remove(deviceRefusals, id)
  }

  /** Undefined: its line can do what it is asked for. */
  overload(id: DeviceId, message: string | undefined): void {
    if (this.#overloads.get(id) === message) return
    if (message === undefined) this.#overloads.delete(id)
    else this.#overloads.set(id, message)
    this.#publish(id)
  }

  #publish(id: DeviceId): void {
    const own = this.#own.get(id)
    if (!own) return
    const overload = this.#overloads.get(id)
    const shared = { generation: own.generation, pointer: '/spec/properties', message: overload ?? '', warning: true }
    const list = overload === undefined ? own.list : [...own.list, shared]
    if (list.length > 0) this.#bus.set(deviceRefusals, id, list)
    else this.#bus.remove(deviceRefusals, id)
  }

  #warn(device: DeviceId, pointer: string, reason: string): void {
    this.#log.warn('A device is not quite served as its manifest says', { device, pointer, reason })
  }
}
