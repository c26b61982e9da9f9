import type { EventBus, PublishOptions } from '../../platform/bus/index.ts'
import type { Counter } from '../../platform/health/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import {
  type DeviceAction,
  type DeviceId,
  type DeviceTopicForm,
  type MsgHead,
  type NodeAction,
  nodeTopic,
  type PlainSetResult,
  type Twin,
} from '../../schemas/index.ts'
import { attributesMessage } from '../model/attributes.ts'
import { deltaOf, sameDelta } from '../model/delta.ts'
import { deltaMessage, documentOf, memberIdentity } from '../model/messages.ts'
import { TopicCache } from './topic-cache.ts'

export interface VoiceOptions {
  readonly eventBus: EventBus
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly unsent: Counter
}

/** What DeviceTwin says on MQTT, at the QoS of the configuration. Nothing waits for it: a message that the broker does not take is counted. */
export class Voice {
  readonly #options: VoiceOptions
  /** Devices whose clients use topics with a bare name: what the edge says by itself goes there too. */
  readonly #bare = new Set<DeviceId>()
  readonly #topics = new TopicCache()

  constructor(options: VoiceOptions) {
    this.#options = options
  }

  /** Head of a message: echoes the event id of its cause, or makes a new one. */
  head(eventId: string | undefined): MsgHead {
    return { event_id: eventId ?? this.#options.random.uuid(), timestamp: this.#options.clock.now() }
  }

  answer(id: DeviceId, form: DeviceTopicForm, action: DeviceAction, make: () => MsgHead): void {
    this.#say(this.#topics.of(id, action, form), make)
  }

  /** On a topic of the plain view, where nothing is retained that does not come from a twin. */
  plain(topic: string, message: PlainSetResult): void {
    if (this.#options.eventBus.isWatched(topic)) this.#send(topic, JSON.stringify(message), { retain: false })
  }

  node(action: NodeAction, message: MsgHead): void {
    this.#say(nodeTopic(this.#options.nodeName, action), () => message)
  }

  usesBareTopics(id: DeviceId): void {
    this.#bare.add(id)
  }

  /** Document of what changed. `eventId` is that of the cause; without one it is new. */
  document(before: Twin | undefined, after: Twin, eventId?: string): void {
    if (before === after) return
    this.#announce(after.id, 'twin/update/document', () => documentOf(this.head(eventId), before, after))
  }

  /** Delta, if any; with `before` only when it is another one than then. */
  delta(before: Twin | undefined, after: Twin): void {
    if (before === after) return
    this.#announce(after.id, 'twin/update/delta', () =>
      before && sameDelta(deltaOf(before), deltaOf(after)) ? undefined : deltaMessage(this.head(undefined), after),
    )
  }

  /** Attributes that changed, if any. */
  attributes(before: Twin | undefined, after: Twin, eventId?: string): void {
    if (before?.attributes === after.attributes) return
    this.#announce(after.id, 'updated', () => attributesMessage(this.head(eventId), before, after))
  }

  joined(twin: Twin): void {
    this.node('membership/updated', {
      ...this.head(undefined),
      ...{ added_devices: [memberIdentity(twin)], removed_devices: null },
    })
  }

  left(twin: Twin): void {
    this.#bare.delete(twin.id)
    this.node('membership/updated', {
      ...this.head(undefined),
      ...{ added_devices: null, removed_devices: [memberIdentity(twin)] },
    })
  }

  #announce(id: DeviceId, action: DeviceAction, make: () => MsgHead | undefined): void {
    this.#say(this.#topics.of(id, action, 'namespaced'), make)
    if (this.#bare.has(id)) this.#say(this.#topics.of(id, action, 'bare'), make)
  }

  /** A message that nobody would hear is not made. */
  #say(topic: string, make: () => MsgHead | undefined): void {
    if (!this.#options.eventBus.isWatched(topic)) return
    const message = make()
    if (message) this.#send(topic, JSON.stringify(message))
  }

  #send(topic: string, text: string, options: PublishOptions = {}): void {
    const { eventBus, log, unsent } = this.#options
    eventBus.publish(topic, text, options).catch((error: unknown) => {
      unsent.add()
      log.debug('A message about a twin was not sent', { topic, error })
    })
  }
}
