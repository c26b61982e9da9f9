import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createCatalog, runMapper } from '../../../mappers/host/index.ts'
import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
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
import { describeLoading } from './source-place.ts'
import { type ConfigSchemas, unknownKeys } from './unknown-keys.ts'

export interface DevFiles {
  readonly mapper: string
  readonly model: string
  readonly device: string
}

const HEAP_MEGABYTES = 256
/** Of different log lines; when there are more they are told again. */
const MOST_REMEMBERED = 100

/** A mapper in the real protocol host, in a thread of its own, against the devices of a manifest; without twin and cloud. */
export class DevSession {
  readonly #files: DevFiles
  readonly #tell: (event: DevEvent) => void
  readonly #bus: Bus
  readonly #log: Logger
  readonly #orders = new Map<DeviceId, Record<string, OrderedValue>>()
  readonly #assigned = new Map<DeviceId, AssignedDevice>()
  #generation = 0
  #wishes = 0
  #schemas: ConfigSchemas | undefined
  readonly #logged = new Set<string>()
  #stop: AbortController | undefined
  #running: Promise<void> = Promise.resolve()
  #folder = ''

  constructor(files: DevFiles, tell: (event: DevEvent) => void) {
    this.#files = files
    this.#tell = tell
    this.#log = eventLogger((event) => this.#tellOnce(event), dirname(files.mapper))
    this.#bus = createLocalBus(clock, this.#log)
  }

  /** Settles when the mapper runs for the first time; rejects for manifests that cannot be used. */
  async start(): Promise<void> {
    this.#bus.serve(reportDevices, async (reports) => {
      for (const report of reports) this.#tellReport(report)
      return { unknown: [] }
    })
    this.#bus.serve(reportStates, async (states) => {
      for (const { id, state, reason } of states) this.#tellState(id, state, reason)
      return { unknown: [] }
    })
    this.#bus.watch(deviceRefusals, ({ key, value = [] }) => {
      for (const { pointer, message, warning } of value)
        this.#tellFinding(warning ? 'warning' : 'refused', key, pointer, message)
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
    this.#tellUnknownKeys()
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
    const ground = { bus: this.#bus, clock, random, log: this.#log, folder: this.#folder }
    this.#logged.clear()
    this.#tell({ type: 'loading', file: this.#files.mapper })
    void this.#describe(protocol, signal)
    const run = { ...ground, source, protocols: [protocol], heapMegabytes: HEAP_MEGABYTES, onBeat: () => undefined }
    try {
      await runMapper(run, signal)
    } catch (error) {
      const isEnd = error instanceof SkerryError && error.code === 'MAPPERS_THREAD_ENDED'
      const reason = await describeLoading(isEnd ? (error.cause ?? error) : error, this.#files.mapper)
      this.#tell({ type: 'ended', reason })
    }
  }

  #forgetOrder(id: DeviceId, property: string): void {
    const { [property]: _forgotten, ...orders } = this.#orders.get(id) ?? {}
    this.#orders.set(id, orders)
    this.#bus.set(deviceOrders, id, { properties: orders })
  }

  /** Asks the mapper what it is, in a process of its own; why it cannot be loaded is told by its thread. */
  async #describe(protocol: string, signal: AbortSignal): Promise<void> {
    const options = {
      builtIns: [],
      from: [],
      isolation: 'worker',
      heapMegabytes: HEAP_MEGABYTES,
      clock,
      signal,
    } as const
    const found = await createCatalog({ ...options, use: [{ mapper: this.#files.mapper }] }).catch(() => [])
    const loaded = found[0]?.loaded
    if (!loaded || 'reason' in loaded) return
    const { source, description } = loaded
    this.#schemas = description
    this.#tellUnknownKeys()
    if (source.protocol === protocol) return
    const reason = `the device is of protocol ${protocol}, the mapper of ${source.protocol}: an edge would not bring them together; correct /spec/protocol/protocolName`
    this.#tell({ type: 'complaint', reason })
  }

  #tellState(id: DeviceId, state: string, reason: string | undefined): void {
    if (state === 'online') this.#logged.clear()
    // Each refusal is told with its place.
    if (!(state === 'unknown' && reason?.startsWith('refused')))
      this.#tell({ type: 'state', device: id, state, reason })
  }

  #tellFinding(type: 'refused' | 'warning', id: DeviceId, pointer: string, reason: string): void {
    const index = /^\/spec\/properties\/(\d+)/.exec(pointer)?.[1]
    const property = index && this.#assigned.get(id)?.device.spec.properties?.[Number(index)]?.name
    this.#tell({ type, device: id, pointer, property: property || undefined, reason })
  }

  #tellUnknownKeys(): void {
    if (!this.#schemas) return
    for (const [id, assigned] of this.#assigned) {
      for (const { pointer, reason } of unknownKeys(this.#schemas, assigned))
        this.#tellFinding('warning', id, pointer, reason)
    }
  }

  /** The same trouble again and again, while it is tried again and again, is one line. */
  #tellOnce(event: DevEvent): void {
    const text = JSON.stringify(event)
    if (this.#logged.has(text)) return
    if (this.#logged.size >= MOST_REMEMBERED) this.#logged.clear()
    this.#logged.add(text)
    this.#tell(event)
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
