import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadMapper, runMapper } from '../../../mappers/host/index.ts'
import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceId,
  type DeviceReport,
  deviceIdOf,
  deviceOrders,
  deviceRefusals,
  type OrderedValue,
  parseValue,
  protocolOf,
  reportDevices,
  reportStates,
} from '../../../schemas/index.ts'
import { readManifests } from '../read-manifests.ts'
import { type DevEvent, eventLogger } from './dev-events.ts'

export interface DevFiles {
  readonly mapper: string
  readonly model: string
  readonly device: string
}

/** A mapper in the real protocol host, in a thread of its own, against the devices of a manifest; without twin and cloud. */
export class DevSession {
  readonly #files: DevFiles
  readonly #tell: (event: DevEvent) => void
  readonly #bus: Bus
  readonly #orders = new Map<DeviceId, Record<string, OrderedValue>>()
  readonly #assigned = new Map<DeviceId, AssignedDevice>()
  #generation = 0
  #wishes = 0
  #loads = 0
  #stop: AbortController | undefined
  #running: Promise<void> = Promise.resolve()
  #folder = ''

  constructor(files: DevFiles, tell: (event: DevEvent) => void) {
    this.#files = files
    this.#tell = tell
    this.#bus = createLocalBus(clock, eventLogger(tell))
  }

  /** Settles when the mapper runs for the first time; rejects for manifests that cannot be used. */
  async start(): Promise<void> {
    this.#bus.serve(reportDevices, async (reports) => {
      for (const report of reports) this.#tellReport(report)
      return { unknown: [] }
    })
    this.#bus.serve(reportStates, async (states) => {
      for (const { id, state, reason } of states) this.#tell({ type: 'state', device: id, state, reason })
      return { unknown: [] }
    })
    this.#bus.watch(deviceRefusals, ({ key, value = [] }) => {
      for (const { pointer, message, warning } of value)
        this.#tell({ type: warning ? 'warning' : 'refused', device: key, pointer, reason: message })
    })
    this.#folder = await mkdtemp(join(tmpdir(), 'skerry-mapper-dev-'))
    await this.loadManifests()
    await this.restart()
  }

  /** Reads the manifests again; what is wrong with them leaves the devices as they are. */
  async loadManifests(): Promise<void> {
    const { models, devices } = await readManifests([...new Set([this.#files.model, this.#files.device])])
    this.#generation++
    for (const device of devices) {
      const model = models.find(({ metadata }) => metadata.name === device.spec.deviceModelRef?.name)
      if (!model)
        throw new Error(
          `${this.#files.model}: there is no DeviceModel ${device.spec.deviceModelRef?.name}, which ${device.metadata.name} names`,
        )
      const metadata = {
        namespace: 'default',
        uid: device.metadata.name,
        ...device.metadata,
        generation: this.#generation,
      }
      const assigned = { device: { ...device, metadata }, model }
      const id = deviceIdOf(metadata)
      this.#assigned.set(id, assigned)
      this.#bus.set(assignedDevices, id, assigned)
    }
    if (devices.length === 0) throw new Error(`${this.#files.device}: there is no Device in it`)
  }

  /** After a save of a manifest. */
  async reloadManifests(): Promise<void> {
    const before = this.#protocol
    await this.loadManifests()
    if (this.#protocol !== before) await this.restart()
  }

  get #protocol(): string {
    const [first] = this.#assigned.values()
    return (first && protocolOf(first.device, first.model)) ?? ''
  }

  /** Ends the thread and starts another, which loads the mapper as it is now. */
  async restart(): Promise<void> {
    this.#stop?.abort(new Error('the mapper is loaded again'))
    await this.#running
    const stop = new AbortController()
    this.#stop = stop
    this.#running = this.#run(stop.signal)
  }

  /** `set PROPERTY VALUE`; with several devices `set DEVICE/PROPERTY VALUE`. Returns what is wrong with it. */
  set(place: string, text: string): string | undefined {
    const [name, property = ''] = place.includes('/') ? place.split('/') : [undefined, place]
    const found = [...this.#assigned].find(([, { device }]) => name === undefined || device.metadata.name === name)
    if (!found) return `there is no device ${name}; there is: ${[...this.#assigned.keys()].join(', ')}`
    const [id, { model }] = found
    const properties = model?.spec.properties ?? []
    const declared = properties.find((each) => each.name === property)
    const writable = properties.filter(({ accessMode }) => accessMode !== 'ReadOnly').map((each) => each.name)
    if (!declared || declared.accessMode === 'ReadOnly') {
      const lack = declared ? `${property} is ReadOnly` : `there is no property ${property}`
      return `${lack}; to be set: ${writable.join(', ') || 'none'}`
    }
    const parsed = parseValue(declared.type ?? 'STRING', text)
    if (!parsed.ok) return `"${text}" ${parsed.reason} (${property} is ${declared.type})`
    const orders = { ...this.#orders.get(id), [property]: { value: text, id: `wish-${++this.#wishes}` } }
    this.#orders.set(id, orders)
    this.#bus.set(deviceOrders, id, { properties: orders })
    return undefined
  }

  async close(): Promise<void> {
    this.#stop?.abort(new Error('the session is over'))
    await this.#running
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #run(signal: AbortSignal): Promise<void> {
    const protocol = this.#protocol
    const source = { protocol, entry: pathToFileURL(this.#files.mapper) }
    const log = eventLogger(this.#tell)
    const ground = { bus: this.#bus, clock, random, log, folder: this.#folder, heapMegabytes: 256 }
    this.#tell({ type: 'loading', file: this.#files.mapper })
    void this.#checkProtocol(protocol)
    try {
      await runMapper({ ...ground, source, protocols: [protocol], onBeat: () => undefined }, signal)
    } catch (error) {
      this.#tell({ type: 'ended', reason: describeError(error) })
    }
  }

  #forgetOrder(id: DeviceId, property: string): void {
    const { [property]: _forgotten, ...orders } = this.#orders.get(id) ?? {}
    this.#orders.set(id, orders)
    this.#bus.set(deviceOrders, id, { properties: orders })
  }

  /** A mapper is inert, so loading it here as well does nothing; what is wrong with it is told by its thread. */
  async #checkProtocol(protocol: string): Promise<void> {
    const entry = pathToFileURL(this.#files.mapper)
    entry.search = `?${++this.#loads}`
    const mapper = await loadMapper({ entry }).catch(() => undefined)
    if (!mapper || mapper.protocol === protocol) return
    const reason = `the device is of protocol ${protocol}, the mapper of ${mapper.protocol}: an edge would not bring them together; correct /spec/protocol/protocolName`
    this.#tell({ type: 'complaint', reason })
  }

  #tellReport({ id, readings, writes }: DeviceReport): void {
    for (const { property, value, cause, quality } of readings) {
      if (value === undefined) this.#tell({ type: 'failed', device: id, property, reason: cause ?? 'no reason' })
      else this.#tell({ type: 'reading', device: id, property, value, quality })
    }
    for (const { property, value, failure } of writes) {
      this.#tell({ type: 'written', device: id, property, value, reason: failure?.message })
      // Told once: the author tries again, not the host.
      if (failure !== undefined && failure.reason !== 'DeviceOffline') this.#forgetOrder(id, property)
    }
  }
}
