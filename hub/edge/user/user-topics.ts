import type { Bus, EventBus, MqttMessage } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, RefusedError, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import {
  assignedRules,
  isTopicFilter,
  listed,
  matchesTopic,
  type Rule,
  subscriptionOf,
  USER_FILTERS,
} from '../../../schemas/index.ts'
import { Turns } from '../meta/turns.ts'

export interface UserTopicsPorts {
  readonly store: Store
  readonly bus: Bus
  readonly eventBus: EventBus
  readonly nodeName: string
  readonly log: Logger
  readonly metrics?: Metrics
}

interface Wanted {
  readonly topic: string
  /** `cloud`: by a message of a KubeEdge cloud; else the rule, `rule <namespace>/<name>`. */
  readonly origin: string
  /** It is on disk. */
  readonly isKept: boolean
}

const CLOUD = 'cloud'
const MOST_TOPICS = 1000

/**
 * Topics beside the fixed ones whose messages go to the cloud: those of rules, and those that a KubeEdge cloud subscribed to. On
 * disk, so that no message is missed between the start of the broker and the listing of the rules.
 */
export class UserTopics {
  readonly #ports: UserTopicsPorts
  readonly #take: (message: MqttMessage) => Promise<void>
  readonly #wanted = new Map<string, Wanted>()
  readonly #handled = new Map<string, Disposable>()
  readonly #turns = new Turns()

  constructor(ports: UserTopicsPorts, take: (message: MqttMessage) => Promise<void>) {
    this.#ports = ports
    this.#take = take
    const gauge = (ports.metrics ?? silentMetrics).gauge({
      name: 'skerry_edgehub_user_topics',
      help: 'Topics that the cloud or its rules want the messages of.',
    })
    gauge.follow(() => this.#handled.size)
  }

  async start(scope: Scope): Promise<void> {
    const { store, bus, log } = this.#ports
    for (const row of await store.read({ statement: 'user.topics', parameters: [] })) {
      this.#wanted.set(String(row['key']), { topic: String(row['topic']), origin: String(row['origin']), isKept: true })
    }
    scope.defer(() => {
      for (const handle of this.#handled.values()) handle[Symbol.dispose]()
      this.#handled.clear()
      this.#wanted.clear()
    })
    this.#handle()
    const failed = (error: unknown) =>
      log.warn('The topic of a rule could not be noted', { error: describeError(error) })
    const follow = (key: string, rule: Rule | undefined) => void this.#follow(key, rule).catch(failed)
    scope.use(bus.watch(assignedRules, ({ key, value }) => follow(key, value)))
    // Rules that went while nobody looked.
    scope.use(
      bus.watch(listed, ({ key, value }) => {
        if (key !== 'rules' || value !== true) return
        for (const { origin } of [...this.#wanted.values()]) {
          const rule = origin.startsWith('rule ') ? origin.slice(5) : undefined
          if (rule !== undefined && !bus.get(assignedRules, rule)) follow(rule, undefined)
        }
      }),
    )
  }

  /** Settles when it is on disk. */
  async subscribe(topic: string): Promise<void> {
    await this.#put(`${CLOUD} ${topic}`, topic, CLOUD)
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#remove(`${CLOUD} ${topic}`)
  }

  /** A cloud that sends rules says all that it wants with them. */
  async forgetSubscriptions(): Promise<void> {
    for (const [key, { origin }] of [...this.#wanted]) if (origin === CLOUD) await this.#remove(key)
  }

  async #follow(name: string, rule: Rule | undefined): Promise<void> {
    const origin = `rule ${name}`
    const wanted = rule && subscriptionOf(rule, 'eventbus')
    if (!wanted || wanted.node !== this.#ports.nodeName) return this.#remove(origin)
    await this.#put(origin, wanted.topic, origin)
  }

  #put(key: string, topic: string, origin: string): Promise<void> {
    return this.#turns.take(key, async () => {
      // What begins with $ belongs to the broker and to devices.
      if (!isTopicFilter(topic) || topic.startsWith('$')) throw refused(topic, 'this is no topic that can be uploaded')
      const present = this.#wanted.get(key)
      if (present?.isKept && present.topic === topic) return
      if (!present && this.#wanted.size >= MOST_TOPICS) throw refused(topic, `this node takes ${MOST_TOPICS} topics`)
      // Served at once; where the disk does not take it, whoever says it again has it written.
      this.#wanted.set(key, { topic, origin, isKept: false })
      this.#handle()
      await this.#ports.store.write([{ statement: 'user.putTopic', parameters: [key, topic, origin] }])
      this.#wanted.set(key, { topic, origin, isKept: true })
    })
  }

  #remove(key: string): Promise<void> {
    return this.#turns.take(key, async () => {
      if (!this.#wanted.has(key)) return
      await this.#ports.store.write([{ statement: 'user.removeTopic', parameters: [key] }])
      this.#wanted.delete(key)
      this.#handle()
    })
  }

  /** Brings what is handled to what is wanted. */
  #handle(): void {
    const topics = new Set([...this.#wanted.values()].map(({ topic }) => topic))
    for (const [topic, handle] of this.#handled) {
      if (topics.has(topic)) continue
      handle[Symbol.dispose]()
      this.#handled.delete(topic)
    }
    const fixed: ReadonlySet<string> = new Set(Object.values(USER_FILTERS))
    for (const topic of topics) {
      if (this.#handled.has(topic) || fixed.has(topic)) continue
      this.#handled.set(
        topic,
        this.#ports.eventBus.handle(topic, (message) => this.#once(topic, message)),
      )
    }
  }

  /** A message goes up once, however many filters cover it: the fixed ones first, then the first that was wanted. */
  async #once(filter: string, message: MqttMessage): Promise<void> {
    const { topic } = message
    if (Object.values(USER_FILTERS).some((fixed) => matchesTopic(fixed, topic))) return
    for (const other of this.#handled.keys()) {
      if (other === filter) break
      if (matchesTopic(other, topic)) return
    }
    await this.#take(message)
  }
}

function refused(topic: string, reason: string): RefusedError {
  return new RefusedError('A topic that the cloud wants is refused', {
    code: 'HUB_TOPIC_REFUSED',
    fields: { topic: topic.slice(0, 200), reason },
  })
}
