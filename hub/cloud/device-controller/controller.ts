import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { type Device, type DeviceModel, type DeviceStatus, deviceIdOf } from '../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../link/index.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import type { AnyObject, Informer, Kubernetes } from '../kubernetes/index.ts'
import { notConvertible } from './deliveries/convertible.ts'
import { createDeviceSource, deviceVersion } from './deliveries/source.ts'
import { createDeviceIndex, type DeviceIndex } from './device-index.ts'
import { createEventRecorder, type EventRecorder } from './events/event-recorder.ts'
import { IntentLedger } from './intents/intent-ledger.ts'
import { controllerLimits, type DeviceLimits } from './limits.ts'
import { NodePresence } from './node-presence.ts'
import { Digests } from './reports/digests.ts'
import { ReportIntake } from './reports/report-intake.ts'
import { StatusReconciler } from './status/status-reconciler.ts'
import { isUnreachable } from './status/wanted-status.ts'
import { DeviceViews } from './views/device-views.ts'

export interface DeviceControllerPorts {
  readonly kubernetes: Kubernetes
  readonly devices: Informer<Device>
  readonly models: Informer<DeviceModel>
  readonly statuses: Informer<DeviceStatus>
  readonly nodes: Informer<AnyObject>
  /** Those of nodes. */
  readonly leases: Informer<AnyObject>
  readonly hub: CloudHub
  readonly limits?: DeviceLimits
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Keeps nodes supplied with their devices and models, and Device and DeviceStatus true. */
export class DeviceController implements Disposable {
  readonly #ports: DeviceControllerPorts
  readonly #index: DeviceIndex
  readonly #ledger: IntentLedger
  readonly #frames: FrameFactory
  readonly #presence: NodePresence
  readonly #statuses: StatusReconciler
  readonly #events: EventRecorder
  readonly #intake: ReportIntake
  readonly #digests: Digests
  readonly #subscriptions: readonly Disposable[]

  constructor(given: DeviceControllerPorts) {
    // Most of its warnings are of one device or node among thousands, and nodes can cause them at will.
    const ports = { ...given, log: boundedLogger(given.log, given) }
    const { clock, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#index = createDeviceIndex(ports.devices, ports.models)
    this.#ledger = new IntentLedger(this.#index, clock)
    this.#frames = createFrameFactory(ports)
    this.#presence = new NodePresence(ports)
    const limits = controllerLimits(ports.limits)
    this.#events = createEventRecorder({ ...ports, component: 'skerry-devicecontroller', rate: limits.events })
    const shared = { ...ports, metrics, index: this.#index, views: new DeviceViews(ports.statuses) }
    this.#statuses = new StatusReconciler({
      ...shared,
      ledger: this.#ledger,
      presence: this.#presence,
      events: this.#events,
      frames: this.#frames,
      limits: limits.writes,
    })
    this.#intake = new ReportIntake({ ...shared, onReport: (id) => this.#statuses.look(id) })
    this.#digests = new Digests({ ...shared, intake: this.#intake, frames: this.#frames })
    this.#subscriptions = this.#connect()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { devices, models, statuses, nodes, leases } = this.#ports
    await Promise.all([devices, models, statuses, nodes, leases].map((informer) => informer.synced(signal)))
    for (const device of devices.list()) this.#ledger.note(device, undefined)
    this.#digests.ready()
    await Promise.all([this.#statuses.run(signal), this.#events.run(signal)])
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
  }

  #connect(): readonly Disposable[] {
    const { hub, devices, models, statuses, nodes, leases } = this.#ports
    const source = createDeviceSource({
      ...this.#ports,
      index: this.#index,
      ledger: this.#ledger,
      frames: this.#frames,
    })
    return [
      this.#index,
      this.#presence,
      source,
      hub.addSource(source),
      hub.onUpstream('devices', (upstream) => {
        if (!this.#digests.take(upstream)) this.#intake.receive(upstream)
      }),
      hub.onConnection((peer, connected) => {
        this.#presence.connection(peer.node, connected)
        this.#lookAtNode(peer.node)
      }),
      devices.onChange((now, before) => this.#onDevice(now, before)),
      models.onChange((now, before) => this.#onModel(now ?? before)),
      statuses.onChange((now, before) => {
        const status = now ?? before
        if (status) this.#statuses.look(deviceIdOf(status.metadata))
      }),
      nodes.onChange((now, before) => {
        // Heartbeats change a Node every few seconds; only its coming and going concerns its devices.
        const name = (now ?? before)?.metadata.name ?? ''
        if (!now) this.#presence.forget(name)
        if (now?.metadata.uid !== before?.metadata.uid) this.#lookAtNode(name)
      }),
      leases.onChange((now, before) => {
        // Renewals are followed by those who wait for one.
        if (!now || !before) this.#lookAtNode((now ?? before)?.metadata.name ?? '')
      }),
    ]
  }

  #onModel(model: DeviceModel | undefined): void {
    if (!model) return
    for (const device of this.#index.ofModel(model.metadata.namespace ?? 'default', model.metadata.name)) {
      this.#statuses.look(deviceIdOf(device.metadata))
      this.#ports.hub.sync(device.spec.nodeName ?? '')
    }
  }

  #onDevice(now: Device | undefined, before: Device | undefined): void {
    const { hub } = this.#ports
    const device = now ?? before
    if (!device) return
    this.#ledger.note(now, before)
    this.#statuses.look(deviceIdOf(device.metadata))
    const from = before?.spec.nodeName ?? ''
    const to = now?.spec.nodeName ?? ''
    if (now && before && from === to && isUnreachable(before) && !isUnreachable(now)) this.#presence.heard(to)
    // The old node lets go before the new one takes over.
    if (from !== '' && from !== to) hub.sync(from)
    // Our own status writes change the device too, and must not have its whole node compared each time.
    if (to !== '' && (from !== to || isNewFor(now, before))) hub.sync(to)
  }

  #lookAtNode(node: string): void {
    for (const device of this.#index.onNode(node)) this.#statuses.look(deviceIdOf(device.metadata))
  }
}

function isNewFor(now: Device | undefined, before: Device | undefined): boolean {
  if (!now || !before || now.metadata.uid !== before.metadata.uid) return true
  if ((notConvertible(now, undefined) === undefined) !== (notConvertible(before, undefined) === undefined)) return true
  return deviceVersion(now) !== deviceVersion(before)
}
