import type { Bus } from '../../platform/bus/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, ms, type Random } from '../../platform/time/index.ts'
import {
  type AssignedDevice,
  assignedDevices,
  type DeviceCall,
  type DeviceCallAnswer,
  type DeviceId,
  type DeviceRefusal,
  deviceCalls,
  deviceOrders,
  knownUntil,
  protocolOf,
  timesToLive,
} from '../../schemas/index.ts'
import type { LocalBroker } from '../contract/index.ts'
import { type Admission, type AnyMapper, admit, type DevicePlan } from './admission/admission.ts'
import { askConflict } from './admission/ask.ts'
import { overloadMessage, plannedLoad } from './admission/planned-load.ts'
import { Refusals } from './admission/refusals.ts'
import { runCall } from './calls/run-call.ts'
import { Line } from './line/line.ts'
import { Reporter } from './line/reporter.ts'
import { ServedDevice } from './line/served-device.ts'
import { defaultSettings, type HostSettings } from './settings.ts'
import { createStats, deviceStats, type HostStats, lineStats } from './stats.ts'

export interface ProtocolHostOptions {
  readonly bus: Bus
  readonly mapper: AnyMapper
  /** Names in `protocolName` that this mapper serves; default: its own. */
  readonly protocols?: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of the mapper alone; exists. */
  readonly folder: string
  /** The MQTT broker of this node, with an account for mappers. */
  readonly broker?: LocalBroker | undefined
  readonly settings?: HostSettings
  /** Counted into; handed in where somebody reads along. */
  readonly stats?: HostStats
}

/** The host of one mapper: drives the devices of its protocol until the signal aborts, then closes every connection. */
export async function runProtocolHost(options: ProtocolHostOptions, signal: AbortSignal): Promise<void> {
  const host = new ProtocolHost(options)
  await host.run(signal)
}

/** After a change of the devices of a line. */
const JUDGING = ms(500)

interface RunningLine {
  readonly line: Line
  readonly stop: AbortController
}

class ProtocolHost {
  readonly #options: ProtocolHostOptions
  readonly #settings: HostSettings
  readonly #stats: HostStats
  readonly #protocols: ReadonlySet<string>
  readonly #reporter: Reporter
  readonly #lines = new Map<string, RunningLine>()
  readonly #devices = new Map<DeviceId, ServedDevice>()
  /** Devices of this protocol that are refused. */
  readonly #refused = new Set<DeviceId>()
  /** Those of them that would be served if others on their connection were not. */
  readonly #conflicting = new Set<DeviceId>()
  readonly #fingerprints = new Map<DeviceId, string>()
  /** By connection key, until its last line has closed its connection. */
  readonly #closing = new Map<string, Promise<void>>()
  readonly #refusals: Refusals
  /** Lines whose devices have changed since their load was judged. */
  readonly #unjudged = new Set<string>()
  #judging: Disposable | undefined
  #revision = 0

  constructor(options: ProtocolHostOptions) {
    this.#options = options
    this.#settings = options.settings ?? defaultSettings
    this.#stats = options.stats ?? createStats()
    this.#refusals = new Refusals(options.bus, options.log)
    this.#protocols = new Set(options.protocols ?? [options.mapper.protocol])
    this.#reporter = new Reporter({
      bus: options.bus,
      clock: options.clock,
      random: options.random,
      log: options.log,
      settings: this.#settings,
      stats: this.#stats,
      isCurrent: (id) => this.#devices.has(id) || this.#refused.has(id),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { bus } = this.#options
    using _orders = bus.watch(deviceOrders, ({ key }) => this.#ordersChanged(key))
    using _devices = bus.watch(assignedDevices, ({ key, value }) => this.#assigned(key, value))
    const onCall = (call: DeviceCall) => this.#call(call)
    using _calls = disposeAll([...this.#protocols].map((protocol) => bus.serve(deviceCalls(protocol), onCall)))
    await this.#reporter.run(signal)
    this.#judging?.[Symbol.dispose]()
    for (const { stop } of this.#lines.values()) stop.abort(new Error('the mapper host stops'))
    await Promise.all(this.#closing.values())
  }

  #assigned(id: DeviceId, assigned: AssignedDevice | undefined): void {
    if (!assigned?.model || !this.#protocols.has(protocolOf(assigned.device, assigned.model) ?? '')) {
      this.#release(id)
      return
    }
    // Status and labels change far more often than what the device is.
    const fingerprint = fingerprintOf(assigned)
    const { generation = 0 } = assigned.device.metadata
    if (this.#fingerprints.get(id) === fingerprint) {
      this.#refusals.renew(id, generation)
      return
    }
    const { refusals, plan } = this.#judged(id, admit(this.#options.mapper, assigned, ++this.#revision), assigned)
    this.#fingerprints.set(id, fingerprint)
    this.#refusals.set(id, generation, refusals)
    if (plan) this.#serve(plan)
    else this.#refuse(id, refusals)
  }

  /** What admission said, and what a device means for those that use its connection already. */
  #judged(id: DeviceId, { refusals, plan }: Admission, { device }: AssignedDevice): Admission {
    this.#conflicting.delete(id)
    const { mapper } = this.#options
    if (!plan || !mapper.conflict) return { refusals, ...(plan ? { plan } : {}) }
    for (const other of this.#devices.values()) {
      if (other.id === id || other.plan.key !== plan.key) continue
      const issue = askConflict(() => mapper.conflict?.(plan.config, other.plan.config))
      if (!issue) continue
      this.#conflicting.add(id)
      const pointer = `/spec/protocol/configData${issue.pointer}`
      return {
        refusals: [...refusals, { generation: device.metadata.generation ?? 0, pointer, message: issue.message }],
      }
    }
    return { refusals, plan }
  }

  /** A device left its connection, or changed: others that it kept from it are judged anew. */
  #reconsider(): void {
    for (const id of [...this.#conflicting]) {
      this.#fingerprints.delete(id)
      this.#assigned(id, this.#options.bus.get(assignedDevices, id))
    }
  }

  #refuse(id: DeviceId, refusals: readonly DeviceRefusal[]): void {
    const wasServed = this.#devices.has(id)
    this.#stopServing(id)
    this.#refused.add(id)
    this.#stats.devices.delete(id)
    if (wasServed) this.#reconsider()
    const first = refusals.find(({ warning }) => !warning)
    this.#reporter.state({ id, state: 'unknown', reason: `refused: ${first?.pointer} ${first?.message}` })
  }

  #serve(plan: DevicePlan): void {
    const { bus, clock, random } = this.#options
    const before = this.#devices.get(plan.id)
    if (before && before.plan.key !== plan.key) this.#leaveLine(before)
    const device = new ServedDevice(plan, {
      ...{ clock, random, settings: this.#settings, reporter: this.#reporter, before },
      stats: deviceStats(this.#stats, plan.id),
    })
    this.#refused.delete(plan.id)
    this.#devices.set(plan.id, device)
    device.setOrders(bus.get(deviceOrders, plan.id))
    this.#lineOf(plan.key).put(device)
    this.#judgeSoon(plan.key)
    if (before) this.#reconsider()
  }

  /** Devices come many at a time: their lines are judged when they are there. */
  #judgeSoon(key: string): void {
    if (!this.#options.mapper.busTime) return
    this.#unjudged.add(key)
    this.#judging ??= this.#options.clock.after(JUDGING, () => {
      this.#judging = undefined
      for (const each of this.#unjudged) this.#judge(each)
      this.#unjudged.clear()
    })
  }

  #judge(key: string): void {
    const line = this.#lines.get(key)?.line
    if (!line) return
    const { mapper, log } = this.#options
    const load = plannedLoad(mapper, line.plans())
    const stats = lineStats(this.#stats, key)
    const message = load === undefined ? undefined : overloadMessage(key, load, line.size)
    if (message !== undefined && stats.planned <= 1) {
      log.warn('A connection is asked for more than it can do', { line: key, load })
    }
    stats.planned = load ?? 0
    for (const { id } of line.plans()) this.#refusals.overload(id, message)
  }

  #ordersChanged(id: DeviceId): void {
    const device = this.#devices.get(id)
    if (!device) return
    const changed = device.setOrders(this.#options.bus.get(deviceOrders, id))
    if (changed) this.#lines.get(device.plan.key)?.line.ordersChanged(device)
  }

  async #call(call: DeviceCall): Promise<DeviceCallAnswer> {
    const { bus, mapper, clock, random } = this.#options
    const device = this.#devices.get(call.id)
    const line = device && this.#lines.get(device.plan.key)?.line
    if (!device || !line) {
      const why = this.#refused.has(call.id) ? 'its mapper refuses its configuration' : 'it has not arrived yet'
      return { ok: false, code: 503, reason: `device ${call.id} is not served: ${why}` }
    }
    const methods = bus.get(assignedDevices, call.id)?.device.spec.methods ?? []
    const ground = { mapper, clock, random, settings: this.#settings, stats: this.#stats, reporter: this.#reporter }
    return runCall(line, device, methods, call, ground)
  }

  /** What a device recorded while this edge or this mapper was down is asked for from where its twin ends. */
  async #knownUntil(id: DeviceId, uid: string): Promise<number | undefined> {
    const { bus, log } = this.#options
    try {
      return (await bus.request(knownUntil, { id, uid }, { deadline: this.#settings.callDeadline })).until
    } catch (error) {
      log.debug('Until when a device is known cannot be told', { device: id, error })
      return undefined
    }
  }

  #release(id: DeviceId): void {
    if (!this.#fingerprints.delete(id)) return
    this.#refused.delete(id)
    this.#stopServing(id)
    this.#reporter.forget(id)
    this.#refusals.forget(id)
    this.#stats.devices.delete(id)
    this.#conflicting.delete(id)
    this.#reconsider()
  }

  #stopServing(id: DeviceId): void {
    const device = this.#devices.get(id)
    if (!device) return
    this.#devices.delete(id)
    this.#leaveLine(device)
  }

  #leaveLine({ id, plan }: ServedDevice): void {
    const running = this.#lines.get(plan.key)
    if (!running) return
    running.line.remove(id)
    this.#refusals.overload(id, undefined)
    if (running.line.size > 0) {
      this.#judgeSoon(plan.key)
      return
    }
    this.#lines.delete(plan.key)
    this.#stats.lines.delete(plan.key)
    running.stop.abort(new Error('no device uses this connection any more'))
  }

  #lineOf(key: string): Line {
    const found = this.#lines.get(key)
    if (found) return found.line
    const { mapper, clock, random, log, folder, broker } = this.#options
    const line = new Line({
      key,
      mapper,
      clock,
      random,
      log,
      settings: this.#settings,
      stats: this.#stats,
      reporter: this.#reporter,
      knownUntil: (id, uid) => this.#knownUntil(id, uid),
      folder,
      broker,
    })
    const stop = new AbortController()
    this.#lines.set(key, { line, stop })
    // The device is put before the loop looks for one; a port that an earlier line still holds cannot be opened again.
    const running: Promise<void> = Promise.resolve(this.#closing.get(key))
      .then(() => line.run(stop.signal))
      .finally(() => {
        if (this.#closing.get(key) === running) this.#closing.delete(key)
      })
    this.#closing.set(key, running)
    return line
  }
}

function disposeAll(all: readonly Disposable[]): Disposable {
  return {
    [Symbol.dispose]() {
      for (const each of all) each[Symbol.dispose]()
    },
  }
}

/** What the plan is made from. Desired values come as orders and change no plan. */
function fingerprintOf({ device, model }: AssignedDevice): string {
  const properties = device.spec.properties?.map(({ desired: _desired, ...rest }) => rest)
  const timeToLiveOf = timesToLive(device, model)
  const timesOfAll = properties?.map(({ name }) => timeToLiveOf(name) ?? null)
  return JSON.stringify([device.metadata.uid, { ...device.spec, properties }, model?.spec, timesOfAll])
}
