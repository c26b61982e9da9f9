import type { Bus, EventBus, MqttMessage } from '../../../platform/bus/index.ts'
import { type Counter, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module, type Scope, SkerryError } from '../../../platform/lifecycle/index.ts'
import { Backoff, ms, seconds } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, type Json, MODULES, OPERATIONS, USER_FILTERS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { FrameOrigin, Road, UserRoad } from '../road.ts'
import { UserDownlink } from './user-downlink.ts'
import { UserDrops } from './user-drops.ts'
import { type UserMessage, UserOutbox, type UserOutboxPorts } from './user-outbox.ts'
import { UserTopics } from './user-topics.ts'

export interface UserUplinkPorts extends Omit<UserOutboxPorts, 'drops'> {
  readonly eventBus: EventBus
  readonly bus: Bus
  readonly frames: FrameFactory
  readonly nodeName: string
}

/** Under way at a time. A cloud that gives receipts remembers more than these, so that it knows what it gets twice. */
const WINDOW = { messages: 128, bytes: 1024 * 1024 }
/** An original cloud is paced: more would only hold up the twins. */
const ORIGINAL_WINDOW = { messages: 16, bytes: 1024 * 1024 }
const REST = { first: ms(500), most: seconds(60) }

/**
 * Messages of MQTT clients to the cloud: on disk before their receipt, then sent in their order, each until the cloud has it.
 * After a failure everything from the first one that is not confirmed is sent again, so that none overtakes another. A module
 * of its own, because it has to be there before the first client comes and until the last has left, also while EdgeHub is not.
 */
export class UserUplink implements Module, UserRoad {
  readonly name = 'UserMessages'
  readonly #ports: UserUplinkPorts
  readonly #drops: UserDrops
  readonly #outbox: UserOutbox
  readonly #topics: UserTopics
  readonly #downlink: UserDownlink
  readonly #messages: Counter
  readonly #backoff: Backoff
  #road: Road | undefined
  #pumping: Promise<void> | undefined

  constructor(ports: UserUplinkPorts) {
    this.#ports = ports
    this.#drops = new UserDrops(ports)
    this.#outbox = new UserOutbox({ ...ports, drops: this.#drops })
    this.#topics = new UserTopics(ports, (message) => this.#take(message))
    this.#downlink = new UserDownlink({ ...ports, topics: this.#topics })
    this.#backoff = new Backoff(REST, ports.random)
    this.#messages = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_user_messages_total',
      help: 'Messages of MQTT clients to the cloud: stored here, sent there, or failed on the way and sent again.',
      labels: ['outcome'],
    })
  }

  async start(scope: Scope): Promise<void> {
    await this.#outbox.open()
    scope.defer(async () => {
      this.#road = undefined
      await this.#pumping
      await this.#outbox.flush().catch((error: unknown) => {
        this.#ports.log.warn('How many messages were dropped could not be noted', { error: describeError(error) })
      })
      this.#drops[Symbol.dispose]()
    })
    for (const filter of Object.values(USER_FILTERS)) {
      scope.use(this.#ports.eventBus.handle(filter, (message) => this.#take(message)))
    }
    await this.#topics.start(scope)
  }

  get status(): UserRoad['status'] {
    const { depth, bytes, oldestAge } = this.#outbox
    return {
      waiting: depth,
      bytes,
      ...(oldestAge === undefined ? {} : { oldestAge }),
      dropped: this.#drops.totals,
    }
  }

  take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined> {
    return this.#downlink.take(frame, origin)
  }

  connected(road: Road): void {
    this.#road = road
    this.#backoff.reset()
    if (road.isSkerry) {
      void this.#topics.forgetSubscriptions().catch((error: unknown) => {
        this.#ports.log.warn('Topics of another cloud could not be forgotten', { error: describeError(error) })
      })
    }
    this.#pump()
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  async #take({ topic, payload }: MqttMessage): Promise<void> {
    await this.#outbox.add(topic, payload)
    this.#messages.add(1, { outcome: 'stored' })
    this.#pump()
  }

  #pump(): void {
    this.#pumping ??= this.#send().finally(() => {
      this.#pumping = undefined
      // What came while the last look at the disk was under way.
      if (this.#road?.signal.aborted === false && this.#outbox.hasStored) this.#pump()
    })
  }

  async #send(): Promise<void> {
    for (let road = this.#road; road && !road.signal.aborted; road = this.#road) {
      try {
        const batch = await this.#outbox.peek(road.isSkerry ? WINDOW : ORIGINAL_WINDOW)
        if (batch.length === 0) return
        const failure = await this.#deliver(batch, road)
        if (!failure) this.#backoff.reset()
        else if (!road.signal.aborted) await this.#rest(failure.error, road.signal)
      } catch (error) {
        await this.#rest(error, road.signal)
      }
    }
  }

  /** The first failure after which something has to be sent again, if any. */
  async #deliver(batch: readonly UserMessage[], road: Road): Promise<{ readonly error: unknown } | undefined> {
    const outcomes = await Promise.allSettled(batch.map((message) => road.deliver(this.#frameOf(message, road))))
    let done: number | undefined
    let failure: { readonly error: unknown } | undefined
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') {
        if (!isRefusal(outcome.reason)) {
          failure = { error: outcome.reason }
          break
        }
        this.#drops.note('refused', 1)
      } else {
        this.#messages.add(1, { outcome: 'sent' })
      }
      done = batch[at]?.id
    }
    if (done !== undefined) await this.#outbox.removeUpTo(done)
    return failure
  }

  async #rest(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports
    this.#messages.add(1, { outcome: 'failed' })
    const wait = this.#backoff.next()
    log.debug('Messages of MQTT clients are not taken by the cloud', { error: describeError(error) })
    await clock.sleep(wait, signal).catch(() => undefined)
  }

  #frameOf({ frameId, topic, payload }: UserMessage, { isSkerry }: Road): Frame {
    const route = { source: MODULES.bus, group: GROUPS.user, operation: OPERATIONS.upload, resource: topic }
    const frame = this.#ports.frames.make(route, contentOf(payload, isSkerry))
    return { ...frame, header: { ...frame.header, msg_id: frameId } }
  }
}

/** The cloud has answered that it does not want it: the next would fare no better for waiting. */
function isRefusal(error: unknown): boolean {
  return error instanceof SkerryError && error.code === 'HUB_REQUEST_FAILED'
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text as it is; what is no UTF-8 survives towards Skerry, and is damaged towards KubeEdge as KubeEdge itself damages it. */
function contentOf(payload: Uint8Array, isSkerry: boolean): Json {
  try {
    return UTF8.decode(payload)
  } catch {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    return isSkerry ? { skerry: { base64: bytes.toString('base64') } } : bytes.toString('utf8')
  }
}
