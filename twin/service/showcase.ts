import type { Bus } from '../../platform/bus/index.ts'
import { type DeviceId, deviceOrders, type Twin, twins } from '../../schemas/index.ts'
import { ordersOf } from '../model/orders.ts'

/** The twins as they are on disk, and what follows from them for the mapper host, as states of the bus. */
export class Showcase {
  readonly #bus: Bus
  /** Orders as they are on the bus, as text. */
  readonly #orders = new Map<DeviceId, string>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  /** Shows exactly these: an earlier start of the module may have left more. */
  open(loaded: readonly Twin[]): void {
    const present = new Set(loaded.map(({ id }) => id))
    for (const id of this.#bus.list(twins).keys()) if (!present.has(id)) this.show(id, undefined)
    for (const twin of loaded) this.show(twin.id, twin)
  }

  show(id: DeviceId, twin: Twin | undefined): void {
    if (!twin) {
      this.#orders.delete(id)
      this.#bus.remove(deviceOrders, id)
      this.#bus.remove(twins, id)
      return
    }
    this.#bus.set(twins, id, twin)
    const orders = ordersOf(twin)
    const text = JSON.stringify(orders)
    // An order stays as it is while readings come and go.
    if (text === this.#orders.get(id)) return
    this.#orders.set(id, text)
    this.#bus.set(deviceOrders, id, orders)
  }
}
