import type { DeviceId } from '../../../schemas/index.ts'
import type { Outcome, Reading, Report, VisitId } from '../../contract/index.ts'
import type { AnyMapper } from '../admission/admission.ts'
import { deliverOne } from './deliver.ts'
import type { Reporter } from './reporter.ts'
import type { ServedDevice } from './served-device.ts'

/** The watches of one connection: one per device, so that changing a device leaves the others alone. */
export class Watches {
  readonly #mapper: AnyMapper
  readonly #reporter: Reporter
  /** Of this device, or that a watch ended. */
  readonly #onChange: (device?: ServedDevice) => void
  readonly #running = new Map<DeviceId, AbortController>()
  #connection: AsyncDisposable | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(mapper: AnyMapper, reporter: Reporter, onChange: (device?: ServedDevice) => void) {
    this.#mapper = mapper
    this.#reporter = reporter
    this.#onChange = onChange
  }

  open(connection: AsyncDisposable, devices: readonly ServedDevice[]): void {
    this.#connection = connection
    this.#failure = undefined
    for (const device of devices) this.add(device)
  }

  add(device: ServedDevice): void {
    if (!this.#connection || !this.#mapper.watch || device.properties.length === 0) return
    this.remove(device.id)
    const controller = new AbortController()
    this.#running.set(device.id, controller)
    device.forgetPresence()
    void this.#watch(device, this.#connection, controller.signal)
  }

  remove(id: DeviceId): void {
    this.#running.get(id)?.abort(new Error('the device is no longer watched'))
    this.#running.delete(id)
  }

  close(): void {
    this.#connection = undefined
    for (const id of [...this.#running.keys()]) this.remove(id)
  }

  /** Throws when a watch ended by itself, which means that the connection is lost. */
  check(): void {
    if (this.#failure) throw this.#failure.error
  }

  async #watch(device: ServedDevice, connection: AsyncDisposable, signal: AbortSignal): Promise<void> {
    const byId = new Map(device.properties.map((property) => [property.id, property]))
    const onReading = (id: VisitId, outcome: Outcome<Reading>) => {
      const property = byId.get(id)
      if (!property || signal.aborted) return
      device.pushed(property)
      deliverOne(property, outcome, this.#reporter)
    }
    const presence: Report['presence'] = (where, reason) => {
      // Back again, it is told what it missed.
      if (!signal.aborted && device.setPresence(where, reason)) this.#onChange(device)
    }
    const report: Report = Object.assign(onReading, { presence })
    let error: unknown = new Error('the watch ended')
    try {
      const visits = device.properties.map(({ plan }) => plan.visit)
      await this.#mapper.watch?.(connection, visits, report, signal)
    } catch (thrown) {
      error = thrown
    }
    if (signal.aborted) return
    this.#failure = { error }
    this.#onChange()
  }
}
