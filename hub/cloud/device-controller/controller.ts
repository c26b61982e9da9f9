import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, ms, type Random, seconds } from '../../../platform/time/index.ts'
import {
  DEVICE_API_VERSION,
  type Device,
  type DeviceModel,
  type DeviceStatus,
  deviceIdOf,
  GROUPS,
  MODULES,
  splitDeviceId,
} from '../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../link/index.ts'
import type { CloudHub, NodePeer, Upstream } from '../cloudhub/delivery.ts'
import type { AnyObject, Informer, Kubernetes } from '../kubernetes/index.ts'
import { conflictNote } from './agreement.ts'
import { conditionNamed, conditionsOf } from './conditions.ts'
import { createDeviceIndex, type DeviceIndex } from './device-index.ts'
import { DeviceView } from './device-view.ts'
import { createEventRecorder, type EventRecorder } from './event-recorder.ts'
import { IntentLedger } from './intent-ledger.ts'
import { statusIntents } from './intents.ts'
import { type DeviceReport, parseReport } from './reports.ts'
import { createDeviceSource, deviceVersion } from './source.ts'
import { StatusWriter, type WantedStatus } from './status-writer.ts'
import { notesOf } from './transitions.ts'
import { conflictsForDevice, twinsForDevice, twinsForStatus } from './twin-view.ts'

export interface DeviceControllerPorts {
  readonly kubernetes: Kubernetes
  readonly devices: Informer<Device>
  readonly models: Informer<DeviceModel>
  readonly statuses: Informer<DeviceStatus>
  readonly nodes: Informer<AnyObject>
  readonly hub: CloudHub
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Between two writes of values of one device; changes of state and conditions need only wait `HASTE`. */
const FLUSH_INTERVAL: Duration = ms(250)
const HASTE: Duration = ms(50)
/** A node that is back within this time was never away; also after a start of this process. */
const AWAY_GRACE: Duration = seconds(10)

/** Keeps nodes supplied with their devices and models, and Device and DeviceStatus true. */
export class DeviceController implements Disposable {
  readonly #ports: DeviceControllerPorts
  readonly #index: DeviceIndex
  readonly #ledger: IntentLedger
  readonly #frames: FrameFactory
  readonly #writer: StatusWriter
  readonly #events: EventRecorder
  readonly #queue: Reconciler
  readonly #views = new Map<string, DeviceView>()
  readonly #flushed = new Map<string, number>()
  /** When each node was last seen leaving, monotonic ms. */
  readonly #left = new Map<string, number>()
  readonly #started: number
  readonly #ignored: Counter
  readonly #subscriptions: readonly Disposable[]

  constructor(ports: DeviceControllerPorts) {
    const { clock, random, log, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#index = createDeviceIndex(ports.devices, ports.models)
    this.#ledger = new IntentLedger(this.#index, clock)
    this.#frames = createFrameFactory(ports)
    this.#writer = new StatusWriter(ports)
    this.#events = createEventRecorder({ ...ports, component: 'skerry-devicecontroller' })
    this.#started = clock.monotonic()
    this.#ignored = metrics.counter({
      name: 'skerry_devicecontroller_ignored_total',
      help: 'Reports of edges that were not taken, by cause.',
      labels: ['cause'],
    })
    this.#queue = createReconciler({
      name: 'devices',
      reconcile: (key, signal) => this.#reconcile(key, signal),
      workers: 16,
      clock,
      random,
      log,
      metrics,
    })
    this.#subscriptions = this.#connect()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { devices, models, statuses, nodes } = this.#ports
    await Promise.all([devices, models, statuses, nodes].map((informer) => informer.synced(signal)))
    for (const device of devices.list()) this.#ledger.note(device, undefined)
    await this.#queue.run(signal)
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
  }

  #connect(): readonly Disposable[] {
    const { hub, devices, models, statuses, nodes } = this.#ports
    const source = createDeviceSource({
      ...this.#ports,
      index: this.#index,
      ledger: this.#ledger,
      frames: this.#frames,
    })
    return [
      this.#index,
      source,
      hub.addSource(source),
      hub.onUpstream('devices', (upstream) => this.#receive(upstream)),
      hub.onConnection((peer, connected) => this.#onConnection(peer.node, connected)),
      devices.onChange((now, before) => this.#onDevice(now, before)),
      models.onChange((now, before) => this.#onModel(now ?? before)),
      statuses.onChange((now, before) => {
        const status = now && before ? undefined : (now ?? before)
        if (status) this.#queue.enqueue(deviceIdOf(status.metadata))
      }),
      nodes.onChange((now, before) => {
        // Heartbeats change a Node every few seconds; only its coming and going concerns its devices.
        if (!now || !before) this.#enqueueNode((now ?? before)?.metadata.name ?? '')
      }),
    ]
  }

  #onModel(model: DeviceModel | undefined): void {
    if (!model) return
    for (const device of this.#index.ofModel(model.metadata.namespace ?? 'default', model.metadata.name)) {
      this.#queue.enqueue(deviceIdOf(device.metadata))
      this.#ports.hub.sync(device.spec.nodeName ?? '')
    }
  }

  #onDevice(now: Device | undefined, before: Device | undefined): void {
    const { hub } = this.#ports
    const device = now ?? before
    if (!device) return
    this.#ledger.note(now, before)
    this.#queue.enqueue(deviceIdOf(device.metadata))
    const from = before?.spec.nodeName ?? ''
    const to = now?.spec.nodeName ?? ''
    // The old node lets go before the new one takes over.
    if (from !== '' && from !== to) hub.sync(from)
    // Our own status writes change the device too, and must not have its whole node compared each time.
    if (to !== '' && (from !== to || isNewFor(now, before))) hub.sync(to)
  }

  #onConnection(node: string, connected: boolean): void {
    if (connected) this.#left.delete(node)
    else this.#left.set(node, this.#ports.clock.monotonic())
    this.#enqueueNode(node)
  }

  #enqueueNode(node: string): void {
    for (const device of this.#index.onNode(node)) this.#queue.enqueue(deviceIdOf(device.metadata))
  }

  #receive(upstream: Upstream): void {
    const cause = this.#take(upstream)
    if (cause) this.#ignored.add(1, { cause })
  }

  /** Why a frame was not taken, or nothing. */
  #take({ peer, frame, reply }: Upstream): string | undefined {
    const { devices, log } = this.#ports
    // `membership/detail` of old edges and the like: tolerated, not answered.
    const report = parseReport(frame.route.resource, frame.content)
    if (!report) return 'not-a-report'
    const device = devices.get({ namespace: report.namespace, name: report.name })
    if (!device) {
      this.#evict(peer, report)
      return 'unknown-device'
    }
    if (device.spec.nodeName !== peer.node) {
      log.warn('A node reported on a device of another node', { node: peer.node, device: deviceIdOf(report) })
      this.#evict(peer, report)
      return 'foreign-device'
    }
    if (!this.#viewOf(device).take(report, peer, { frame, reply })) {
      this.#evict(peer, report)
      return 'other-incarnation'
    }
    this.#queue.enqueue(deviceIdOf(device.metadata))
    return undefined
  }

  /** What an edge still has although it should not, because it went back to a backup, say, is deleted there. */
  #evict({ node }: NodePeer, report: DeviceReport): void {
    const uid = report.kind === 'twin' ? report.sync.skerry?.uid : undefined
    const { namespace, name } = report
    if (!this.#index.devices.isSynced || uid === undefined || ![namespace, uid].every(isLabel)) return
    const metadata = { namespace, name, uid }
    this.#ports.hub.evict(node, { apiVersion: DEVICE_API_VERSION, kind: 'Device', metadata })
  }

  #viewOf(device: Device): DeviceView {
    const id = deviceIdOf(device.metadata)
    const known = this.#views.get(id)
    if (known && known.uid === (device.metadata.uid ?? '')) return known
    const status = this.#ports.statuses.get(splitDeviceId(id))
    const owned = status?.metadata.ownerReferences?.some(({ uid }) => uid === device.metadata.uid)
    const view = new DeviceView(device, owned ? status : undefined)
    this.#views.set(id, view)
    return view
  }

  async #reconcile(id: string, signal: AbortSignal): Promise<void> {
    const { devices, clock } = this.#ports
    const device = devices.get(splitDeviceId(id))
    if (!device) {
      this.#views.delete(id)
      this.#flushed.delete(id)
      return
    }
    if (device.metadata.deletionTimestamp) return
    const status = await this.#writer.ensure(device, signal)
    const view = this.#viewOf(device)
    const reports = [...view.unconfirmed]
    const untold = await this.#tellConflicts(device, view, signal)
    const wanted = this.#wanted(device, view)
    const deviceChange = this.#writer.deviceChange(device, wanted)
    const statusChange = this.#writer.statusChange(status, wanted)
    if (deviceChange || statusChange) {
      const wait = this.#waitOf(id, patienceFor(deviceChange))
      if (wait) return this.#queue.enqueueAfter(id, wait)
      this.#flushed.set(id, clock.monotonic())
      const [isWritten] = await Promise.all([
        !deviceChange || this.#writer.writeDevice(device, deviceChange, signal),
        statusChange && this.#writer.writeStatus(device, statusChange, signal),
      ])
      if (!isWritten) return void this.#queue.enqueue(id)
      for (const note of notesOf(device.status?.conditions ?? [], wanted.conditions)) this.#events.record(device, note)
    }
    // What could not be told is tried again, and the edge says it again to whoever comes after this process.
    if (untold !== undefined) throw untold
    this.#confirm(view, reports)
  }

  /**
   * An Event for each conflict before it is on record: what is on record was told, also by an earlier process. Why one could
   * not be told, or nothing.
   */
  async #tellConflicts(device: Device, view: DeviceView, signal: AbortSignal): Promise<unknown> {
    const told = new Set<string>()
    let failure: unknown
    for (const conflict of conflictsForDevice(device, view.twins)) {
      try {
        if (!view.told.has(conflict.id)) {
          await this.#events.recordOnce(device, conflictNote(conflict), conflict.id, signal)
        }
        told.add(conflict.id)
      } catch (error) {
        failure = error
      }
    }
    view.told = told
    return failure
  }

  #waitOf(id: string, interval: Duration): Duration | undefined {
    const last = this.#flushed.get(id)
    if (last === undefined) return undefined
    const left = last + interval.milliseconds - this.#ports.clock.monotonic()
    return left > 0 ? ms(left) : undefined
  }

  #wanted(device: Device, view: DeviceView): WantedStatus {
    const { hub, nodes, clock } = this.#ports
    const node = device.spec.nodeName ?? ''
    const away = node !== '' && this.#isAway(node, deviceIdOf(device.metadata))
    const generation = device.metadata.generation ?? 0
    const { refusals } = view
    const intents = this.#ledger.of(device)
    const conditions = conditionsOf({
      device,
      model: this.#index.modelOf(device),
      nodeKnown: hub.isKnown(node) || nodes.get({ name: node }) !== undefined,
      away,
      state: view.state,
      stateReason: view.stateReason,
      stateCode: view.stateCode,
      view: view.twins,
      intents,
      refusals: refusals && refusals.generation >= generation ? refusals.list : undefined,
      previous: device.status?.conditions ?? [],
      now: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    })
    return {
      conditions,
      intents: statusIntents(intents),
      conflicts: conflictsForDevice(device, view.twins).filter(({ id }) => view.told.has(id)),
      state: conditionNamed(conditions, 'Online')?.reason === 'NodeUnreachable' ? 'unknown' : (view.state ?? 'unknown'),
      ...(view.state === undefined ? {} : { reportedState: view.state }),
      ...(view.lastOnlineTime === undefined ? {} : { lastOnlineTime: view.lastOnlineTime }),
      ...(view.hasReported
        ? { deviceTwins: twinsForDevice(device, view.twins), statusTwins: twinsForStatus(device, view.twins) }
        : {}),
    }
  }

  /** A node that left just now gets its grace, and the device is looked at again when that is over. */
  #isAway(node: string, id: string): boolean {
    const { hub, clock } = this.#ports
    if (hub.isConnected(node)) return false
    const since = this.#left.get(node) ?? this.#started
    const left = since + AWAY_GRACE.milliseconds - clock.monotonic()
    if (left <= 0) return true
    this.#queue.enqueueAfter(id, ms(left + 1))
    return false
  }

  #confirm(view: DeviceView, reports: readonly { frame: Upstream['frame']; reply: Upstream['reply'] }[]): void {
    for (const { frame, reply } of reports) {
      reply(this.#frames.reply(frame, 'OK', { source: MODULES.deviceController, group: GROUPS.twin, resource: 'twin' }))
    }
    view.confirmed(reports)
  }
}

/** Fit for an address of the API, RFC 1123. */
function isLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
}

function isNewFor(now: Device | undefined, before: Device | undefined): boolean {
  if (!now || !before || now.metadata.uid !== before.metadata.uid) return true
  return deviceVersion(now) !== deviceVersion(before)
}

/** Until intents are written down, a restart would date them anew. */
function patienceFor(change: object = {}): Duration {
  if ('intents' in change) return ms(0)
  return 'conditions' in change || 'state' in change ? HASTE : FLUSH_INTERVAL
}
