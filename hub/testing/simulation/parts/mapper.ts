import type { Bus } from '../../../../platform/bus/index.ts'
import { type Clock, ms, seconds } from '../../../../platform/time/index.ts'
import {
  assignedDevices,
  type DeviceId,
  deviceOrders,
  type PropertyReading,
  reportDevices,
  reportStates,
  type WriteResult,
} from '../../../../schemas/index.ts'
import type { SeededRandom } from '../ground/seeded-random.ts'

/** A thing in the field. It knows nothing of gateways, and keeps its values whatever happens to them. */
export interface Thing {
  readonly values: Map<string, string>
  isOnline: boolean
  /** Properties that it does not let itself be told. */
  readonly refuses: Set<string>
}

export interface MapperPorts {
  readonly bus: Bus
  readonly clock: Clock
  readonly random: SeededRandom
  readonly thing: (id: DeviceId) => Thing
  readonly signal: AbortSignal
  /** Told of what is written to a thing. */
  readonly onWritten: (id: DeviceId, property: string, value: string) => void
}

interface Task {
  isDue: boolean
  isBusy: boolean
  /** As it was told last by this process. */
  state: string | undefined
  readonly told: Map<string, string>
}

const DEADLINE = seconds(10)

/** Plays the mapper host: brings orders to the things, reads them back, and reports until it is durable. */
export class Mapper {
  readonly #ports: MapperPorts
  readonly #tasks = new Map<DeviceId, Task>()

  constructor(ports: MapperPorts) {
    this.#ports = ports
    const { bus } = ports
    bus.watch(assignedDevices, ({ key, value }) => {
      if (value === undefined) this.#tasks.delete(key)
      else this.look(key)
    })
    bus.watch(deviceOrders, ({ key }) => this.look(key))
  }

  /** Something about this thing may have changed. */
  look(id: DeviceId): void {
    if (!this.#ports.bus.get(assignedDevices, id)) return
    const task = this.#tasks.get(id) ?? { isDue: false, isBusy: false, state: undefined, told: new Map() }
    this.#tasks.set(id, task)
    task.isDue = true
    if (!task.isBusy) void this.#work(id, task)
  }

  lookAtAll(): void {
    for (const id of this.#tasks.keys()) this.look(id)
  }

  async #work(id: DeviceId, task: Task): Promise<void> {
    const { clock, random, signal } = this.#ports
    task.isBusy = true
    while (task.isDue && this.#tasks.get(id) === task) {
      task.isDue = false
      try {
        await clock.sleep(ms(1 + random.next() * 30), signal)
        await this.#visit(id, task)
      } catch {
        // What could not be made durable is said again.
        if (signal.aborted) return
        task.isDue = true
        task.state = undefined
        task.told.clear()
        await clock.sleep(ms(1000 + random.next() * 3000), signal).catch(() => undefined)
      }
    }
    task.isBusy = false
  }

  async #visit(id: DeviceId, task: Task): Promise<void> {
    const { bus, clock, thing: find, signal, onWritten } = this.#ports
    const assigned = bus.get(assignedDevices, id)
    if (!assigned?.model) return
    const thing = find(id)
    const state = thing.isOnline ? 'online' : 'offline'
    if (task.state !== state) {
      const { unknown } = await bus.request(reportStates, [{ id, state }], { deadline: DEADLINE, signal })
      if (unknown.length > 0) throw new Error('the twin is not there yet')
      task.state = state
    }
    if (!thing.isOnline) return
    const readings: PropertyReading[] = []
    const writes: WriteResult[] = []
    const read = (property: string) => {
      const value = thing.values.get(property) ?? '0'
      readings.push({ property, value, sourceTime: clock.now(), quality: 'good' })
      return value
    }
    for (const [property, { value, id: orderId }] of Object.entries(bus.get(deviceOrders, id)?.properties ?? {})) {
      if (thing.refuses.has(property)) {
        const failure = { reason: 'Refused', message: 'the thing does not want to' }
        if (task.told.get(`order ${property}`) !== orderId) writes.push({ property, orderId, value, failure })
        task.told.set(`order ${property}`, orderId)
      } else {
        thing.values.set(property, value)
        onWritten(id, property, value)
        task.told.set(property, read(property))
        writes.push({ property, orderId, value })
      }
    }
    for (const { name } of assigned.device.spec.properties ?? []) {
      if (task.told.get(name) === (thing.values.get(name) ?? '0')) continue
      task.told.set(name, read(name))
    }
    if (readings.length + writes.length === 0) return
    const { unknown } = await bus.request(reportDevices, [{ id, readings, writes }], { deadline: DEADLINE, signal })
    if (unknown.length > 0) throw new Error('the twin is not there yet')
  }
}
