import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { HELD_BOUND, missingContent, parseMessages } from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { Upstream } from '../../cloudhub/delivery.ts'
import { type NodeReceipts, type TellPorts, tellDone } from './tell-done.ts'

export interface ReceiptPorts extends TellPorts {
  readonly frames: FrameFactory
  readonly metrics?: Metrics
}

/** One message of a node, on its way to one rule. */
export interface Part {
  readonly node: string
  readonly message: string
  /** `<namespace>/<name>` */
  readonly rule: string
  /** A call of an application, not a message of an MQTT client. */
  readonly isCall: boolean
}

/** What a node is not told yet; beyond it the oldest are forgotten, and may be sent and delivered again. */
const MOST_DONE = { ofNode: 10_000, altogether: 100_000 }

/**
 * The second step of receipts: which messages wait here, and which of them are done, so that the edges that keep them are told. It is in
 * memory: of what it does not know any more an edge sends what it keeps.
 */
export class Receipts {
  readonly #ports: ReceiptPorts
  readonly #bounds: typeof MOST_DONE
  readonly #nodes = new Map<string, NodeReceipts>()
  readonly #forgotten: () => void
  #done = 0
  #signal: AbortSignal | undefined

  constructor(ports: ReceiptPorts, bounds = MOST_DONE) {
    this.#ports = ports
    this.#bounds = bounds
    const metrics = ports.metrics ?? silentMetrics
    const forgotten = metrics.counter({
      name: 'skerry_router_receipts_forgotten_total',
      help: 'Messages that were done, and whose nodes could not be told before others took their place: they may come again.',
    })
    this.#forgotten = () => forgotten.add()
    metrics
      .gauge({ name: 'skerry_router_receipts', help: 'Messages that are done, and whose nodes do not know that yet.' })
      .follow(() => this.#done)
  }

  /** Of how many something is known. */
  get nodes(): number {
    return this.#nodes.size
  }

  /** Tells nodes what is done until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    for (const node of this.#nodes.values()) this.#tell(node)
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** It waits here for these rules. */
  taken(parts: readonly Part[]): void {
    for (const { node, message, rule } of parts) {
      const { open } = this.#of(node)
      open.set(message, (open.get(message) ?? new Set()).add(rule))
    }
  }

  /** What is known of a message: undefined where it is not here. */
  state(node: string, message: string): 'taken' | 'done' | undefined {
    const of = this.#nodes.get(node)
    if (of?.open.has(message)) return 'taken'
    return of?.done.has(message) ? 'done' : undefined
  }

  /** The rule is through with it. Nothing happens where that is known. */
  settled({ node, message, rule, isCall }: Part): void {
    const of = this.#nodes.get(node)
    const rules = of?.open.get(message)
    if (!of || !rules?.delete(rule) || rules.size > 0) return
    of.open.delete(message)
    // An original edge keeps nothing and never asks.
    if (this.#ports.hub.peerOf(node)?.skerry !== false) this.#note(of, message, isCall)
    this.#tidy(of)
  }

  /** Answers an edge that keeps messages: which of them are not here. In this session it is told what is done. */
  compare({ frame, peer, reply }: Upstream): void {
    const { frames } = this.#ports
    const messages = parseMessages(frame.content)
    if (!messages || !peer.skerry) {
      reply(frames.refuse(frame, EXPECTED))
      return
    }
    const missing = messages.filter((message) => this.state(peer.node, message) === undefined)
    reply(frames.reply(frame, missingContent(missing)))
    const of = this.#of(peer.node)
    of.session = peer.session
    this.#tell(of)
  }

  /** The node has no session here: nothing is kept of one that left nothing. */
  left(node: string): void {
    const of = this.#nodes.get(node)
    if (of) this.#tidy(of)
  }

  #of(node: string): NodeReceipts {
    const found = this.#nodes.get(node)
    if (found) return found
    const made = { node, open: new Map(), done: new Map(), session: undefined, isTelling: false }
    this.#nodes.set(node, made)
    return made
  }

  #note(of: NodeReceipts, message: string, isCall: boolean): void {
    of.done.set(message, isCall)
    this.#done++
    if (of.done.size > this.#bounds.ofNode) this.#forget(of)
    for (const other of this.#nodes.values()) {
      if (this.#done <= this.#bounds.altogether) break
      while (other.done.size > 0 && this.#done > this.#bounds.altogether) this.#forget(other)
      this.#tidy(other)
    }
    this.#tell(of)
  }

  #forget({ done }: NodeReceipts): void {
    const [oldest] = done.keys()
    if (oldest === undefined || !done.delete(oldest)) return
    this.#done--
    this.#forgotten()
  }

  #tell(of: NodeReceipts): void {
    const signal = this.#signal
    if (!signal || of.isTelling || of.done.size === 0 || of.session === undefined) return
    of.isTelling = true
    const onTold = (messages: readonly string[]) => {
      for (const message of messages) if (of.done.delete(message)) this.#done--
    }
    void tellDone(this.#ports, of, onTold, signal).finally(() => {
      of.isTelling = false
      // It may have asked again meanwhile, or be through.
      this.#tell(of)
      this.#tidy(of)
    })
  }

  #tidy({ node, open, done, session, isTelling }: NodeReceipts): void {
    if (open.size + done.size > 0 || isTelling) return
    if (session === undefined || this.#ports.hub.peerOf(node)?.session !== session) this.#nodes.delete(node)
  }
}

const EXPECTED = `skerry.messages has to be a list of at most ${HELD_BOUND} ids`
