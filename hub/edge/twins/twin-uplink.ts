import type { Bus, StateChange } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../../platform/time/index.ts'
import {
  assignedDevices,
  type DeviceId,
  deviceRefusals,
  type Frame,
  listed,
  type Twin,
  twins,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { Road } from '../road.ts'
import { compareConfirmed } from './confirmed-digest.ts'
import { ConfirmedMarks, type Mark } from './confirmed-marks.ts'
import {
  confirmedDevice,
  parseRefusals,
  type Refusal,
  refusalsOf,
  stateMark,
  stateRoute,
  stateSync,
  toJson,
  twinMark,
  twinRoute,
  twinSync,
} from './twin-frames.ts'

export interface TwinUplinkPorts {
  readonly bus: Bus
  readonly store: Store
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Devices with a message under way. Each has at most one of a kind, so that this bounds the load on the cloud. */
const WINDOW = 256
/** Wait of a device whose message was not confirmed. */
const REST = { first: ms(500), most: seconds(60) }
/** Mappers need so long after a start until they have judged every device again. */
const JUDGING = seconds(10)

/** A device that waits after a failure, outside the window: it delays nobody. */
interface Resting {
  readonly uid: string
  readonly timer: Disposable
}

/**
 * Twins to the cloud, as state: one message per device under way, always the latest twin, until the cloud has confirmed it.
 * What changes meanwhile is coalesced into the next one. What is confirmed is on disk and is not sent again after a
 * reconnect or restart.
 */
export class TwinUplink {
  readonly #ports: TwinUplinkPorts
  readonly #marks: ConfirmedMarks
  /** In the order in which devices changed: a busy device cannot overtake the others. */
  readonly #dirty = new Set<DeviceId>()
  readonly #busy = new Set<DeviceId>()
  readonly #resting = new Map<DeviceId, Resting>()
  readonly #failing = new Map<DeviceId, Backoff>()
  /** To be sent again although they are confirmed: what is under way does not count for them. */
  readonly #again = new Set<DeviceId>()
  readonly #count: (outcome: 'confirmed' | 'failed') => void
  #road: Road | undefined
  #isJudging = true

  constructor(ports: TwinUplinkPorts) {
    this.#ports = ports
    this.#marks = new ConfirmedMarks(ports.store, ports.log)
    const metrics = ports.metrics ?? silentMetrics
    const sent = metrics.counter({
      name: 'skerry_edgehub_twin_messages_total',
      help: 'Messages about devices to the cloud, by outcome.',
      labels: ['outcome'],
    })
    this.#count = (outcome) => sent.add(1, { outcome })
    metrics
      .gauge({ name: 'skerry_edgehub_twins_waiting', help: 'Devices with changes that the cloud has not confirmed.' })
      .follow(() => this.depth)
  }

  /** Devices with something to send or under way. */
  get depth(): number {
    return new Set([...this.#dirty, ...this.#busy, ...this.#resting.keys()]).size
  }

  /** Follows the twins from now on, connected or not. */
  async start(scope: Scope): Promise<void> {
    const { bus, clock } = this.#ports
    await this.#marks.open()
    scope.defer(() => this.#marks.flushed())
    scope.defer(() => {
      for (const { timer } of this.#resting.values()) timer[Symbol.dispose]()
      this.#resting.clear()
    })
    scope.use(bus.watch(twins, (change) => this.#onTwin(change)))
    scope.use(bus.watch(deviceRefusals, ({ key }) => this.#note(key)))
    const judged = clock.after(JUDGING, () => {
      this.#isJudging = false
      this.#noteAll()
    })
    scope.use(judged)
  }

  connected(road: Road): void {
    this.#road = road
    this.#failing.clear()
    for (const id of [...this.#resting.keys()]) this.#wake(id)
    this.#forgetDeparted()
    if (road.isSkerry) void compareConfirmed(this.#ports, this.#confirmations, road)
    this.#noteAll()
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  /** The cloud has lost what it confirmed: the next link tells it everything. */
  forgetConfirmed(): void {
    this.#marks.forgetAll()
  }

  /** The cloud has to be told of this twin again, as if it had never been. */
  resend(id: DeviceId): void {
    this.#resend(id, { twin: '' })
  }

  get #confirmations() {
    const marks = this.#marks
    return {
      devices: marks.devices,
      confirmedOf: (id: DeviceId) => confirmedDevice(id, marks.of(id)),
      lacking: (id: DeviceId) => this.#resend(id, { twin: '', state: '', stateRevision: 0 }),
    }
  }

  #resend(id: DeviceId, unconfirmed: Partial<Mark>): void {
    if (!this.#ports.bus.get(twins, id)) return
    this.#marks.confirm(id, unconfirmed)
    this.#again.add(id)
    this.#note(id)
  }

  #onTwin({ key, value }: StateChange<Twin>): void {
    if (value === undefined) {
      this.#dirty.delete(key)
      this.#again.delete(key)
      this.#failing.delete(key)
      this.#wake(key)
      this.#marks.forget(key)
      return
    }
    // A device made again is another one: what was refused of the old one says nothing about it.
    if (this.#resting.get(key)?.uid !== value.uid) this.#wake(key)
    this.#note(key)
  }

  #noteAll(): void {
    for (const id of this.#ports.bus.list(twins).keys()) this.#note(id)
  }

  #note(id: DeviceId): void {
    if (!this.#ports.bus.get(twins, id) || this.#resting.has(id)) return
    this.#dirty.add(id)
    this.#pump()
  }

  /** Devices that went while this module was not there to see it. */
  #forgetDeparted(): void {
    const { bus } = this.#ports
    if (!bus.get(listed, 'devices')) return
    for (const id of this.#marks.devices) {
      if (!bus.get(assignedDevices, id) && !bus.get(twins, id)) this.#marks.forget(id)
    }
  }

  #pump(): void {
    const road = this.#road
    if (!road) return
    for (const id of this.#dirty) {
      if (this.#busy.size >= WINDOW) return
      if (this.#busy.has(id)) continue
      this.#dirty.delete(id)
      const messages = this.#messagesOf(id, road)
      if (messages.length === 0) continue
      this.#busy.add(id)
      void this.#deliver(id, messages, road).finally(() => {
        this.#busy.delete(id)
        this.#pump()
      })
    }
  }

  async #deliver(id: DeviceId, messages: readonly Message[], road: Road): Promise<void> {
    const outcomes = await Promise.allSettled(messages.map((message) => this.#confirm(id, message, road)))
    if (road.signal.aborted) return
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) this.#rest(id, failed.reason)
    else this.#failing.delete(id)
  }

  async #confirm(id: DeviceId, { frame, uid, part }: Message, road: Road): Promise<void> {
    try {
      await road.confirm(frame)
    } catch (error) {
      if (!road.signal.aborted) this.#count('failed')
      throw error
    }
    this.#count('confirmed')
    if ('twin' in part && this.#again.has(id)) return
    if (this.#ports.bus.get(twins, id)?.uid === uid) this.#marks.confirm(id, part)
  }

  #rest(id: DeviceId, reason: unknown): void {
    const { bus, clock, random, log } = this.#ports
    const twin = bus.get(twins, id)
    if (!twin) return
    const backoff = this.#failing.get(id) ?? new Backoff(REST, random)
    this.#failing.set(id, backoff)
    const wait = backoff.next()
    log.debug('A twin was not confirmed by the cloud', { device: id, waitMs: wait.milliseconds, error: reason })
    if (backoff.failures === 3)
      log.warn('The cloud does not confirm a twin', { device: id, error: describeError(reason) })
    this.#dirty.delete(id)
    this.#resting.set(id, { uid: twin.uid, timer: clock.after(wait, () => this.#wake(id)) })
  }

  #wake(id: DeviceId): void {
    const resting = this.#resting.get(id)
    if (!resting) return
    resting.timer[Symbol.dispose]()
    this.#resting.delete(id)
    this.#note(id)
  }

  /** What of the device's present twin the cloud has not confirmed. State first: it has priority in the cloud, too. */
  #messagesOf(id: DeviceId, road: Road): readonly Message[] {
    const { bus, frames, clock, random } = this.#ports
    const twin = bus.get(twins, id)
    if (!twin) return []
    this.#again.delete(id)
    const { uid } = twin
    const messages: Message[] = []
    const mark = this.#marks.of(id)
    const stamp = () => ({ eventId: random.uuid(), now: Math.trunc(clock.now()) })
    const state = stateMark(twin, road.isSkerry)
    if (mark.state !== state) {
      // KubeEdge sends this one as a text that holds JSON.
      const content = JSON.stringify(stateSync(twin, road.isSkerry, stamp()))
      messages.push({ uid, part: { state, stateRevision: twin.revision }, frame: frames.make(stateRoute(id), content) })
    }
    const found = this.#refusalsOf(twin, mark.twin.startsWith(`${twin.uid}:`) ? mark.refusals : '[]')
    const part = { twin: twinMark(twin, road.isSkerry), refusals: JSON.stringify(found) }
    if (mark.twin !== part.twin || (road.isSkerry && mark.refusals !== part.refusals)) {
      const content = toJson(twinSync(twin, found, road.isSkerry, stamp()))
      messages.push({ uid, part, frame: frames.make(twinRoute(id), content) })
    }
    return messages
  }

  /** Just after a start, silence of the mappers does not take back what they said before it. */
  #refusalsOf(twin: Twin, confirmed: string): readonly Refusal[] {
    const said = this.#ports.bus.get(deviceRefusals, twin.id)
    if (said === undefined && this.#isJudging) return parseRefusals(confirmed)
    return refusalsOf(said ?? [])
  }
}

interface Message {
  readonly frame: Frame
  readonly uid: string
  /** What is confirmed with the frame's receipt. */
  readonly part:
    | { readonly state: string; readonly stateRevision: number }
    | { readonly twin: string; readonly refusals: string }
}
