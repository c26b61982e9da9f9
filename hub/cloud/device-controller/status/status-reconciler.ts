import type { Metrics } from '../../../../platform/health/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, ms, type Random, seconds } from '../../../../platform/time/index.ts'
import {
  type Device,
  type DeviceStatus,
  deviceIdOf,
  GROUPS,
  MODULES,
  splitDeviceId,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'
import type { AnyObject, Informer, Kubernetes } from '../../kubernetes/index.ts'
import { notesOf } from '../conditions/transitions.ts'
import type { DeviceIndex } from '../device-index.ts'
import { ConflictTeller, untold } from '../events/conflict-teller.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import type { IntentLedger } from '../intents/intent-ledger.ts'
import type { NodePresence, Presence } from '../node-presence.ts'
import type { DeviceView } from '../views/device-view.ts'
import type { DeviceViews } from '../views/device-views.ts'
import { type WriteLimits, type WriteOutcome, WriteQueue } from '../writes/write-queue.ts'
import { LookList } from './look-list.ts'
import { Remembered } from './remembered.ts'
import { type NextWrite, nextWrite } from './status-plan.ts'
import { StatusWriter } from './status-writer.ts'
import { isUnreachable, type WantedStatus, wantedStatus } from './wanted-status.ts'

export interface StatusReconcilerPorts {
  readonly kubernetes: Kubernetes
  readonly devices: Informer<Device>
  readonly statuses: Informer<DeviceStatus>
  readonly nodes: Informer<AnyObject>
  readonly hub: CloudHub
  readonly index: DeviceIndex
  readonly ledger: IntentLedger
  readonly views: DeviceViews
  readonly presence: NodePresence
  readonly events: EventRecorder
  readonly frames: FrameFactory
  readonly limits: WriteLimits
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

/** A spec that whoever serves its node has not looked at within this time is judged here. */
const PATIENCE = seconds(5)

/**
 * Keeps Device and DeviceStatus true, one write after the other for each device: `look` compares what is known with what the
 * API shows and offers the device to the queue of writes, which asks for the next step when its turn comes.
 */
export class StatusReconciler {
  readonly #ports: StatusReconcilerPorts
  readonly #writer: StatusWriter
  readonly #queue: WriteQueue
  readonly #looks: LookList
  readonly #conflicts: ConflictTeller
  /** Devices that are looked at again at a time, by id. */
  readonly #appointments = new Map<string, { readonly at: number; readonly timer: Disposable }>()
  readonly #lastWanted = new Remembered<DeviceView, WantedStatus>()
  readonly #lastNext = new Remembered<DeviceView, NextWrite | undefined>()
  /** Since when a spec waits for whoever serves its node, monotonic ms. */
  readonly #unobserved = new Map<string, { readonly generation: number; readonly since: number }>()

  constructor(ports: StatusReconcilerPorts) {
    this.#ports = ports
    this.#writer = new StatusWriter(ports)
    this.#queue = new WriteQueue({ ...ports, write: (id, signal) => this.#write(id, signal) })
    this.#looks = new LookList((id) => this.#tryLook(id))
    this.#conflicts = new ConflictTeller({ ...ports, onTold: (id) => this.look(id) })
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#looks.open()
    await Promise.all([this.#queue.run(signal), this.#conflicts.run(signal)])
    this.#looks.close()
    for (const { timer } of this.#appointments.values()) timer[Symbol.dispose]()
    this.#appointments.clear()
  }

  /** Something that concerns the device has changed. */
  look(id: string): void {
    this.#looks.add(id)
  }

  #tryLook(id: string): void {
    try {
      this.#look(id)
    } catch (error) {
      this.#ports.log.error('The state of a device could not be judged', { device: id, error })
    }
  }

  #look(id: string): void {
    const device = this.#ports.devices.get(splitDeviceId(id))
    if (!device) return void this.#forget(id)
    if (device.metadata.deletionTimestamp) return void this.#queue.withdraw(id)
    const { view, next, isOthers, isUntold } = this.#judge(device)
    if (next) this.#queue.offer(id, device.spec.nodeName ?? '', next.urgency)
    else this.#queue.withdraw(id)
    if (isOthers) return
    if (isUntold) this.#conflicts.tell(id)
    // The copy of values on Device is no part of what is confirmed.
    else if (!next || next.urgency === 'mirror') this.#confirm(view)
  }

  #forget(id: string): void {
    this.#ports.views.delete(id)
    this.#queue.forget(id)
    this.#unobserved.delete(id)
    this.#appointments.get(id)?.timer[Symbol.dispose]()
    this.#appointments.delete(id)
  }

  async #write(id: string, signal: AbortSignal): Promise<WriteOutcome> {
    const { devices, events } = this.#ports
    const device = devices.get(splitDeviceId(id))
    if (!device || device.metadata.deletionTimestamp) return 'nothing'
    const { view, wanted, next, status } = this.#judge(device)
    if (!next) return 'nothing'
    if (next.target === 'device') {
      if (!(await this.#writer.writeDevice(device, next.status, signal))) return this.#again(id)
      const before = device.status?.conditions ?? []
      for (const note of notesOf(before, wanted.conditions)) events.record(device, note)
    } else {
      view.writes()
      const written = await this.#writer.writeStatus(device, status, next.change, signal)
      if (!written) return this.#again(id)
      view.wrote(written)
      this.#ports.statuses.absorb(written)
    }
    this.look(id)
    return 'written'
  }

  #again(id: string): WriteOutcome {
    this.look(id)
    return 'again'
  }

  #judge(device: Device) {
    const { views, presence } = this.#ports
    const node = device.spec.nodeName ?? ''
    const at = presence.of(node)
    const id = deviceIdOf(device.metadata)
    if (at.changesIn) this.#lookAfter(id, at.changesIn.milliseconds)
    const view = views.of(device)
    const status = views.statusOf(device)
    view.follow(device, status, at.at === 'here')
    const isUntold = untold(device, view).length > 0
    const wanted = this.#wanted(device, view, { presence: at, isUntold })
    const isOthers = at.at === 'elsewhere' && !this.#isOverdue(id, device)
    const toWrite = () => this.#lastNext.of(view, [device, status, wanted], () => nextWrite(device, status, wanted))
    const next = isOthers ? undefined : toWrite()
    return { view, wanted, next, status, isOthers, isUntold }
  }

  /** Whoever serves the node judges its devices, and is given time to do so. */
  #isOverdue(id: string, { metadata, status }: Device): boolean {
    const { generation = 0 } = metadata
    if ((status?.observedGeneration ?? -1) >= generation) {
      this.#unobserved.delete(id)
      return false
    }
    const now = this.#ports.clock.monotonic()
    const known = this.#unobserved.get(id)
    const since = known?.generation === generation ? known.since : now
    this.#unobserved.set(id, { generation, since })
    const rest = since + PATIENCE.milliseconds - now
    if (rest > 0) this.#lookAfter(id, rest)
    return rest <= 0
  }

  /** An earlier appointment stays. */
  #lookAfter(id: string, milliseconds: number): void {
    const { clock } = this.#ports
    const at = clock.monotonic() + milliseconds
    const known = this.#appointments.get(id)
    if (known && known.at <= at) return
    known?.timer[Symbol.dispose]()
    const timer = clock.after(ms(milliseconds), () => {
      this.#appointments.delete(id)
      this.look(id)
    })
    this.#appointments.set(id, { at, timer })
  }

  #wanted(
    device: Device,
    view: DeviceView,
    { presence, isUntold }: { readonly presence: Presence; readonly isUntold: boolean },
  ): WantedStatus {
    const { hub, nodes, clock, ledger, index } = this.#ports
    const node = device.spec.nodeName ?? ''
    const of = {
      device,
      isUntold,
      model: index.modelOf(device),
      intents: ledger.of(device),
      nodeKnown: hub.isKnown(node) || nodes.get({ name: node }) !== undefined,
      away: presence.isAway || (presence.at !== 'here' && isUnreachable(device)),
    }
    // The time is none of the parts: what begins to hold did so when it was judged first.
    const parts = [...Object.values(of), ...view.parts]
    const now = () => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    return this.#lastWanted.of(view, parts, () => wantedStatus({ ...of, view, now: now() }))
  }

  #confirm(view: DeviceView): void {
    const { frames } = this.#ports
    const route = { source: MODULES.deviceController, group: GROUPS.twin, resource: 'twin' }
    for (const { frame, reply } of view.unconfirmed) reply(frames.reply(frame, 'OK', route))
    view.confirmed()
  }
}
