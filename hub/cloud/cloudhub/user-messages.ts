import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Frame, type Json, MODULES, takenContent } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { NodePeer, UserMessage, UserMessageHandler, UserOutcome } from './delivery.ts'

/** More than an edge has under way at a time, so that what it sends again after a broken link is known. */
const REMEMBERED = 256

/** Messages of one node, in their order. */
interface Line {
  last: Promise<unknown>
  /** Those that have to come again: the first was not taken, the others came after it. */
  failed: { readonly session: string; readonly ids: Set<string> } | undefined
}

/**
 * What MQTT clients of the edges say to the cloud: each message goes to the one handler, in the order of its node, and gets
 * its receipt when that has it. A message that comes again, because its receipt was lost, is handed on again only where it was taken:
 * whether it is done since, the handler knows.
 */
export class UserMessages {
  readonly #frames: FrameFactory
  readonly #log: Logger
  readonly #count: (outcome: UserOutcome | 'failed' | 'repeated') => void
  /** By node, then by the id of the frame, the latest last. */
  readonly #recent = new Map<string, Map<string, Promise<UserOutcome | undefined>>>()
  readonly #lines = new Map<string, Line>()
  #handler: UserMessageHandler | undefined
  /** There was a handler, and there will be one again: what comes meanwhile is not for nobody. */
  #isExpected = false

  constructor(frames: FrameFactory, log: Logger, metrics: Metrics = silentMetrics) {
    this.#frames = frames
    this.#log = log
    const messages = metrics.counter({
      name: 'skerry_cloudhub_user_messages_total',
      help: 'Messages of MQTT clients of the edges, by outcome; taken: they wait for targets of rules, no-rule: nobody here wants them.',
      labels: ['outcome'],
    })
    this.#count = (outcome) => messages.add(1, { outcome })
  }

  handle(handler: UserMessageHandler): Disposable {
    this.#handler = handler
    this.#isExpected = true
    return {
      [Symbol.dispose]: () => {
        if (this.#handler === handler) this.#handler = undefined
      },
    }
  }

  /**
   * Settles when the message is done with, never rejects. Only Skerry's edges wait for a receipt; to an original one it would
   * be a message that nobody awaits.
   */
  async take(peer: NodePeer, frame: Frame, reply: (frame: Frame) => void): Promise<void> {
    const recent = this.#recent.get(peer.node) ?? new Map<string, Promise<UserOutcome | undefined>>()
    this.#recent.set(peer.node, recent)
    const id = frame.header.msg_id
    const known = recent.get(id)
    if (known) this.#count('repeated')
    const taking = known ?? this.#inTurn(peer, frame)
    recent.delete(id)
    recent.set(id, taking)
    for (const oldest of recent.keys()) {
      if (recent.size <= REMEMBERED) break
      recent.delete(oldest)
    }
    const outcome = await taking
    // Its next coming is a new try; and what became of one that was taken since, the handler knows.
    if ((!outcome || outcome === 'taken') && recent.get(id) === taking) recent.delete(id)
    if (outcome && peer.skerry) {
      const content = outcome === 'taken' ? takenContent() : 'OK'
      reply(this.#frames.reply(frame, content, { source: MODULES.cloudHub, resource: 'user' }))
    }
  }

  forget(node: string): void {
    this.#recent.delete(node)
    this.#lines.delete(node)
  }

  /** One after the other. After one that was not taken its edge says it and all that followed again: those are not handed on before. */
  #inTurn(peer: NodePeer, frame: Frame): Promise<UserOutcome | undefined> {
    const line: Line = this.#lines.get(peer.node) ?? { last: Promise.resolve(), failed: undefined }
    this.#lines.set(peer.node, line)
    const turn = line.last.then(() => this.#next(line, peer, frame))
    line.last = turn
    return turn
  }

  async #next(line: Line, peer: NodePeer, frame: Frame): Promise<UserOutcome | undefined> {
    const { failed } = line
    const id = frame.header.msg_id
    if (failed?.session === peer.session && !failed.ids.has(id) && failed.ids.size < REMEMBERED) {
      failed.ids.add(id)
      return undefined
    }
    const outcome = await this.#hand(peer, frame)
    // An original edge says nothing again.
    line.failed = outcome || !peer.skerry ? undefined : { session: peer.session, ids: new Set([id]) }
    return outcome
  }

  /** Undefined where it was not taken. */
  async #hand(peer: NodePeer, frame: Frame): Promise<UserOutcome | undefined> {
    const topic = frame.route.resource ?? ''
    const message: UserMessage = {
      peer,
      topic,
      resource: `node/${peer.node}/${topic}`,
      payload: payloadOf(frame.content),
      id: frame.header.msg_id,
      source: frame.route.source ?? '',
      content: frame.content,
    }
    try {
      if (!this.#handler && this.#isExpected)
        throw new UnavailableError('Who takes messages of edges is not there now', { code: 'HUB_ROUTER_AWAY' })
      const outcome = (await this.#handler?.(message)) ?? 'no-rule'
      this.#count(outcome)
      return outcome
    } catch (error) {
      this.#count('failed')
      this.#log.warn('A message of an edge was not taken', { node: peer.node, topic, error })
      return undefined
    }
  }
}

/** Text, or bytes under `skerry`; other JSON is what a Go edge made of an object. */
function payloadOf(content: Json): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content)
  if (content === null) return new Uint8Array(0)
  const skerry = typeof content === 'object' && 'skerry' in content ? content['skerry'] : undefined
  const base64 = typeof skerry === 'object' && skerry !== null && 'base64' in skerry ? skerry['base64'] : undefined
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : Buffer.from(JSON.stringify(content))
}
