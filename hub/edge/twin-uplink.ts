import type { Bus } from '../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../platform/health/index.ts'
import { describeError, type Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../platform/time/index.ts'
import { type DeviceId, deviceRefusals, type Frame, type Twin, twins } from '../../schemas/index.ts'
import type { FrameFactory } from '../link/index.ts'
import { stateRoute, stateSync, toJson, twinRoute, twinSync } from './twin-frames.ts'

/** What the uplink needs of the link of the moment. */
export interface Road {
  readonly isSkerry: boolean
  /** Sends a frame and settles with the cloud's receipt. */
  confirm(frame: Frame): Promise<void>
  readonly signal: AbortSignal
}

export interface TwinUplinkPorts {
  readonly bus: Bus
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Devices with a message under way. Each has at most one, so that this bounds the load on the cloud. */
const WINDOW_SKERRY = 256
/** KubeEdge limits an edge to 30 messages a second; waiting for each receipt stays below that. */
const WINDOW_ORIGINAL = 4

/**
 * Twins to the cloud, as state: one message per device under way, always the latest twin, until the cloud has confirmed it.
 * What changes meanwhile is coalesced into the next one. After each connect everything is sent once, because the cloud may
 * have been restored or replaced; that is idempotent there.
 */
export class TwinUplink {
  readonly #ports: TwinUplinkPorts
  readonly #dirty = new Set<DeviceId>()
  readonly #busy = new Set<DeviceId>()
  readonly #sent
  #road: Road | undefined

  constructor(ports: TwinUplinkPorts) {
    this.#ports = ports
    const metrics = ports.metrics ?? silentMetrics
    const sent = metrics.counter({
      name: 'skerry_edgehub_twin_messages_total',
      help: 'Twin messages to the cloud, by outcome.',
      labels: ['outcome'],
    })
    this.#sent = (outcome: 'confirmed' | 'failed') => sent.add(1, { outcome })
    metrics
      .gauge({ name: 'skerry_edgehub_twins_waiting', help: 'Twins that the cloud has not confirmed.' })
      .follow(() => new Set([...this.#dirty, ...this.#busy]).size)
  }

  get depth(): number {
    return this.#dirty.size + this.#busy.size
  }

  /** Follows the twins from now on, connected or not. */
  follow(scope: Scope): void {
    const { bus } = this.#ports
    const note = ({ key, value }: { key: DeviceId; value: unknown }) => {
      if (value === undefined) this.#dirty.delete(key)
      else this.#dirty.add(key)
      this.#pump()
    }
    scope.use(bus.watch(twins, note))
    scope.use(
      bus.watch(deviceRefusals, ({ key }) => {
        if (bus.get(twins, key)) note({ key, value: key })
      }),
    )
  }

  connected(road: Road): void {
    this.#road = road
    for (const id of this.#ports.bus.list(twins).keys()) this.#dirty.add(id)
    this.#pump()
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  #pump(): void {
    const road = this.#road
    if (!road) return
    const window = road.isSkerry ? WINDOW_SKERRY : WINDOW_ORIGINAL
    for (const id of this.#dirty) {
      if (this.#busy.size >= window) return
      if (this.#busy.has(id)) continue
      this.#dirty.delete(id)
      this.#busy.add(id)
      void this.#deliver(id, road).finally(() => {
        this.#busy.delete(id)
        this.#pump()
      })
    }
  }

  /** Tries until the cloud has confirmed the latest twin, the device is gone, or the road ends. */
  async #deliver(id: DeviceId, road: Road): Promise<void> {
    const { bus, clock, random, log } = this.#ports
    const backoff = new Backoff({ first: ms(500), most: seconds(30) }, random)
    while (!road.signal.aborted) {
      this.#dirty.delete(id)
      const twin = bus.get(twins, id)
      if (!twin) return
      try {
        await this.#send(twin, road)
        this.#sent('confirmed')
        return
      } catch (error) {
        if (road.signal.aborted) break
        this.#sent('failed')
        log.warn('A twin was not confirmed by the cloud', { device: id, error: describeError(error) })
        await clock.sleep(backoff.next(), road.signal).catch(() => undefined)
      }
    }
    this.#dirty.add(id)
  }

  /** State first: it has priority in the cloud, too. */
  async #send(twin: Twin, road: Road): Promise<void> {
    const { bus, frames, clock, random } = this.#ports
    const stamp = () => ({ eventId: random.uuid(), now: clock.now() })
    const refusals = (bus.get(deviceRefusals, twin.id) ?? []).filter((refusal) => refusal.warning !== true)
    const state = JSON.stringify(stateSync(twin, road.isSkerry, stamp()))
    await Promise.all([
      road.confirm(frames.make(stateRoute(twin.id), state)),
      road.confirm(frames.make(twinRoute(twin.id), toJson(twinSync(twin, refusals, road.isSkerry, stamp())))),
    ])
  }
}
