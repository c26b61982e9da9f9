import type { Bus, EventBus, MqttMessage } from '../../../platform/bus/index.ts'
import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module, type Scope, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Frame, GROUPS, isTaken, type Json, MODULES, OPERATIONS, USER_FILTERS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { OutboxDrops } from '../outbox/drops.ts'
import { Outbox, type OutboxPorts } from '../outbox/outbox.ts'
import { OutboxSender, type Outcome } from '../outbox/sender.ts'
import type { FrameOrigin, Road, UserRoad } from '../road.ts'
import { UserDownlink } from './user-downlink.ts'
import { USER_DROPS, USER_MESSAGES, type UserMessage } from './user-kind.ts'
import { UserTopics } from './user-topics.ts'

export interface UserUplinkPorts extends Omit<OutboxPorts, 'drops'> {
  readonly eventBus: EventBus
  readonly bus: Bus
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Under way at a time. A cloud that gives receipts remembers more than these, so that it knows what it gets twice. */
const WINDOW = { messages: 128, bytes: 1024 * 1024 }
/** An original cloud is paced: more would only hold up the twins. */
const ORIGINAL_WINDOW = { messages: 16, bytes: 1024 * 1024 }
/** Base64 in a frame of at most 32 MiB. */
const LARGEST_MESSAGE = 16 * 1024 * 1024
/** They are all of one. */
const LINE = ''

/**
 * Messages of MQTT clients to the cloud: on disk before their receipt, then sent in their order, each until the cloud has it. A module
 * of its own, because it has to be there before the first client comes and until the last has left, also while EdgeHub is not.
 */
export class UserUplink implements Module, UserRoad {
  readonly name = 'UserMessages'
  readonly #ports: UserUplinkPorts
  readonly #drops: OutboxDrops
  readonly #outbox: Outbox<UserMessage>
  readonly #sender: OutboxSender<UserMessage>
  readonly #topics: UserTopics
  readonly #downlink: UserDownlink
  readonly #messages: Counter

  constructor(ports: UserUplinkPorts) {
    this.#ports = ports
    this.#drops = new OutboxDrops(ports, USER_DROPS)
    this.#outbox = new Outbox({ ...ports, drops: this.#drops }, USER_MESSAGES)
    this.#sender = new OutboxSender(
      { ...ports, outbox: this.#outbox },
      {
        what: 'Messages of MQTT clients',
        source: MODULES.bus,
        window: (road) => (road.isSkerry ? WINDOW : ORIGINAL_WINDOW),
        send: (message, road) => this.#send(message, road),
        count: (outcome, count) => this.#count(outcome, count),
      },
    )
    this.#topics = new UserTopics(ports, (message) => this.#take(message))
    this.#downlink = new UserDownlink({ ...ports, topics: this.#topics })
    const metrics = ports.metrics ?? silentMetrics
    this.#messages = metrics.counter({
      name: 'skerry_edgehub_user_messages_total',
      help: 'Messages of MQTT clients to the cloud: stored here, sent there, or failed on the way and sent again.',
      labels: ['outcome'],
    })
    const outbox = this.#outbox
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge({ name, help }).follow(read)
    gauge('skerry_edgehub_user_waiting', 'Messages of MQTT clients that the cloud has not got yet.', () => outbox.depth)
    gauge('skerry_edgehub_user_waiting_bytes', 'Bytes of them, topics and payloads.', () => outbox.bytes)
    gauge('skerry_edgehub_user_kept', 'Messages that wait in the cloud, and are kept until done.', () => outbox.kept)
    const seconds = () => (outbox.oldestAge ?? 0) / 1000
    gauge('skerry_edgehub_user_oldest_seconds', 'How long the oldest of them has waited.', seconds)
  }

  async start(scope: Scope): Promise<void> {
    await this.#outbox.open()
    scope.defer(async () => {
      await this.#sender.close()
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
    const { depth, bytes, oldestAge, kept } = this.#outbox
    return {
      waiting: depth,
      bytes,
      kept,
      ...(oldestAge === undefined ? {} : { oldestAge }),
      dropped: this.#drops.totals,
    }
  }

  take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined> {
    if (origin.isSkerry && frame.route.operation === OPERATIONS.done) return this.#sender.takeDone(frame)
    return this.#downlink.take(frame, origin)
  }

  connected(road: Road): void {
    if (road.isSkerry) {
      void this.#topics.forgetSubscriptions().catch((error: unknown) => {
        this.#ports.log.warn('Topics of another cloud could not be forgotten', { error: describeError(error) })
      })
    }
    this.#sender.connected(road)
  }

  disconnected(road: Road): void {
    this.#sender.disconnected(road)
  }

  /** Settles when it is on disk, or dropped; rejects when it could not be written. */
  async #take({ topic, payload }: MqttMessage): Promise<void> {
    const bytes = Buffer.byteLength(topic) + payload.length
    if (bytes > Math.min(this.#ports.limits.maxBytes, LARGEST_MESSAGE)) {
      this.#drops.note('size', 1)
      await this.#outbox.flush().catch(() => undefined)
      return
    }
    await this.#outbox.add(LINE, bytes, [topic, payload])
    this.#messages.add(1, { outcome: 'stored' })
    this.#sender.pump()
  }

  async #send(message: UserMessage, road: Road): Promise<Outcome> {
    try {
      const frame = this.#frameOf(message, road)
      if (road.isSkerry) return isTaken((await road.ask(frame)).content) ? 'taken' : 'done'
      await road.deliver(frame)
      return 'done'
    } catch (error) {
      if (isRefusal(error)) return 'refused'
      throw error
    }
  }

  #count(outcome: Outcome, count: number): void {
    if (outcome === 'taken' || outcome === 'done') this.#messages.add(count, { outcome: 'sent' })
    else if (outcome === 'again') this.#messages.add(count, { outcome: 'failed' })
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
