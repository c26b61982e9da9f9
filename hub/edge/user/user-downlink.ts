import type { EventBus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import { type Frame, isTopicName, type Json, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { UserTopics } from './user-topics.ts'

export interface UserDownlinkPorts {
  readonly eventBus: EventBus
  readonly frames: FrameFactory
  readonly topics: UserTopics
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

/** A broker that takes nothing must not hold up the link. */
const DEADLINE = seconds(15)
const SERVICE_BUS = 'router_servicebus'
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

/**
 * Frames of group `user`: what rules of the cloud publish on the broker of this node, and what topics they want. They have no
 * receipt on the wire. A call of a local service is answered at once: there is no ServiceBus here, and its caller must not wait.
 */
export class UserDownlink {
  readonly #ports: UserDownlinkPorts
  readonly #ignored: (cause: string) => void

  constructor(ports: UserDownlinkPorts) {
    this.#ports = ports
    const ignored = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_ignored_total',
      help: 'Messages of the cloud that nothing here serves, by cause.',
      labels: ['cause'],
    })
    this.#ignored = (cause) => ignored.add(1, { cause })
  }

  async take(frame: Frame): Promise<Frame | undefined> {
    const { source, operation = '', resource = '' } = frame.route
    if (source === SERVICE_BUS) return this.#answerCall(frame)
    try {
      if (source !== MODULES.routerEventBus) this.#ignore('user-source', frame)
      else if (operation === 'publish' && isTopicName(resource)) await this.#publish(resource, frame.content)
      else if (operation === OPERATIONS.subscribe) await this.#ports.topics.subscribe(resource)
      else if (operation === OPERATIONS.unsubscribe) await this.#ports.topics.unsubscribe(resource)
      else this.#ignore('user-operation', frame)
    } catch (error) {
      this.#ignored('user-failed')
      this.#ports.log.warn('What the cloud says to MQTT clients was not taken', {
        ...{ operation, topic: resource.slice(0, 200), error: describeError(error) },
      })
    }
    return undefined
  }

  async #publish(topic: string, content: Json): Promise<void> {
    const { clock, eventBus } = this.#ports
    await withDeadline(clock, DEADLINE, undefined, () => eventBus.publish(topic, payloadOf(content)))
  }

  /** As KubeEdge's ServiceBus answers, but at once: the operation makes it an answer to the Router. */
  #answerCall(frame: Frame): Frame | undefined {
    const { operation = '' } = frame.route
    this.#ignored('service-bus')
    if (!METHODS.has(operation.toUpperCase())) return undefined
    const body = Buffer.from('this node has no ServiceBus').toString('base64')
    const content = { header: { 'Content-Type': ['text/plain'] }, status_code: 503, body }
    return this.#ports.frames.reply(frame, content, { operation: OPERATIONS.upload })
  }

  #ignore(cause: string, { route }: Frame): void {
    this.#ignored(cause)
    const { source, operation, resource = '' } = route
    this.#ports.log.warn('A message of the cloud to MQTT clients is of an unknown kind', {
      ...{ source, operation, resource: resource.slice(0, 200) },
    })
  }
}

/** Text as it is; other JSON as its text. */
function payloadOf(content: Json): string {
  return typeof content === 'string' ? content : content === null ? '' : JSON.stringify(content)
}
