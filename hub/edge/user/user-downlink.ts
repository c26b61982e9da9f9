import type { EventBus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, RefusedError, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import { type Frame, isTopicName, type Json, MODULES, OPERATIONS, PLAIN_PREFIX } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { FrameOrigin } from '../road.ts'
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

/**
 * Frames of group `user`: what rules of the cloud publish on the broker of this node, and what topics they want. A Skerry cloud
 * hears of each publication whether the broker has taken it; an original one asks for no answer, and gets none.
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

  async take(frame: Frame, { isSkerry }: FrameOrigin): Promise<Frame | undefined> {
    const { source, operation = '', resource = '' } = frame.route
    const { frames, topics, log } = this.#ports
    const isPublication = source === MODULES.routerEventBus && operation === OPERATIONS.publish
    try {
      if (isPublication) await this.#publish(resource, frame.content, isSkerry)
      else if (source !== MODULES.routerEventBus) this.#ignore('user-source', frame)
      else if (operation === OPERATIONS.subscribe) await topics.subscribe(resource)
      else if (operation === OPERATIONS.unsubscribe) await topics.unsubscribe(resource)
      else this.#ignore('user-operation', frame)
      return isPublication && isSkerry ? frames.reply(frame, 'OK') : undefined
    } catch (error) {
      this.#ignored('user-failed')
      log.warn('What the cloud says to MQTT clients was not taken', {
        ...{ operation, topic: resource.slice(0, 200), error: describeError(error) },
      })
      return isPublication && isSkerry ? frames.refuse(frame, reasonOf(error)) : undefined
    }
  }

  /** At QoS 1 where somebody hears whether it was taken; else as this broker publishes. */
  async #publish(topic: string, content: Json, isSkerry: boolean): Promise<void> {
    const { clock, eventBus } = this.#ports
    const refusal = refusalOf(topic)
    if (refusal !== undefined) {
      throw new RefusedError('A rule may not publish on this topic', {
        code: 'HUB_TOPIC_REFUSED',
        fields: { topic: topic.slice(0, 200), reason: refusal },
      })
    }
    const payload = payloadOf(content)
    await withDeadline(clock, DEADLINE, undefined, () =>
      eventBus.publish(topic, payload, isSkerry ? { qos: 1 } : undefined),
    )
  }

  #ignore(cause: string, { route }: Frame): void {
    this.#ignored(cause)
    const { source, operation, resource = '' } = route
    this.#ports.log.warn('A message of the cloud to MQTT clients is of an unknown kind', {
      ...{ source, operation, resource: resource.slice(0, 200) },
    })
  }
}

/**
 * What the edge publishes passes all rights of clients by, and mappers take what they hear on `$hw/` for the edge's own word:
 * who may write rules in one namespace must not be able to speak there.
 */
function refusalOf(topic: string): string | undefined {
  if (!isTopicName(topic)) return 'it is no topic that can be published on'
  const [first] = topic.split('/', 1)
  const isReserved = topic.startsWith('$') || first === 'SYS' || first === PLAIN_PREFIX
  return isReserved ? 'it belongs to devices, to the broker or to the edge' : undefined
}

/** Text as it is, bytes of a Skerry cloud as they were; other JSON as its text. */
function payloadOf(content: Json): string | Uint8Array {
  if (typeof content === 'string') return content
  if (content === null) return ''
  const skerry = typeof content === 'object' && 'skerry' in content ? content['skerry'] : undefined
  const base64 = typeof skerry === 'object' && skerry !== null && 'base64' in skerry ? skerry['base64'] : undefined
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : JSON.stringify(content)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof SkerryError)) return `HUB_PUBLISH_FAILED: ${describeError(error)}`
  const { reason } = error.fields
  return `${error.code}: ${error.message}${typeof reason === 'string' ? `: ${reason}` : ''}`
}
