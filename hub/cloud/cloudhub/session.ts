import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import type { NodePeer, NodeSnapshot } from './delivery.ts'
import { Outbox, type OutboxItem } from './outbox.ts'

/** What a session needs of its link. */
export interface SessionLink {
  /** Settles when the frame was handed to the socket. */
  send(frame: Frame): Promise<void>
  close(reason: string): void
}

export interface SessionOptions {
  readonly peer: NodePeer
  readonly link: SessionLink
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  onAcknowledged(item: OutboxItem): void
  /** A notice was dropped because the queue was full. */
  onDrop(): void
}

/** KubeEdge edges send a keepalive each 15 s and expect 30 s of patience. */
const KEEPALIVE_TIMEOUT = seconds(30)
/** Under the receive queue of 100 frames that an edge keeps. */
const SKERRY_WINDOW = 32
const NOTICE_BOUND = 1000
/** Frames of the node that others work on; beyond that its socket is not read. */
const MOST_UNSETTLED = 64

/** One connected node: its two queues down, the work on what it says, and the timer of its keepalives. */
export class Session {
  readonly peer: NodePeer
  readonly outbox: Outbox
  readonly #options: SessionOptions
  readonly #notices: Frame[] = []
  readonly #connectedAt: number
  #acknowledgedAt: number | undefined
  #dropped = 0
  #unsettled = 0
  #onRoom: (() => void) | undefined
  #keepalive: Disposable
  #writing = false
  #ended = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.peer = options.peer
    this.#connectedAt = options.clock.now()
    this.outbox = new Outbox({
      window: options.peer.skerry ? SKERRY_WINDOW : 1,
      clock: options.clock,
      random: options.random,
      send: (frame) => void this.#write(frame),
      onAcknowledged: (item) => {
        this.#acknowledgedAt = options.clock.now()
        options.onAcknowledged(item)
      },
    })
    this.#keepalive = this.#armKeepalive()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Sends once, without acknowledgement. */
  notify(frame: Frame): void {
    if (this.#ended) return
    if (this.#notices.length < NOTICE_BOUND) {
      this.#notices.push(frame)
      if (!this.#writing) void this.#drain()
    } else {
      this.#dropped++
      this.#options.onDrop()
    }
  }

  /** Says one last thing and ends. */
  expel(last: Frame, reason: string): void {
    if (this.#ended) return
    void this.#write(last)
    this.end(reason)
  }

  /** Counts work on a frame of the node until it settles. */
  occupy(work: Promise<void>): void {
    this.#unsettled++
    void work.finally(() => {
      this.#unsettled--
      this.#onRoom?.()
    })
  }

  /** Settles when more of the node may be read; undefined where it may be at once. */
  room(): Promise<void> | undefined {
    if (this.#unsettled < MOST_UNSETTLED || this.#ended) return undefined
    return new Promise((resolve) => {
      this.#onRoom = () => {
        if (this.#unsettled >= MOST_UNSETTLED && !this.#ended) return
        this.#onRoom = undefined
        resolve()
      }
    })
  }

  snapshot(): NodeSnapshot {
    const { node, skerry } = this.peer
    const waitingSince = this.outbox.waitingSince
    return {
      node,
      skerry,
      connectedAt: this.#connectedAt,
      waiting: this.outbox.depth,
      ...(waitingSince === undefined ? {} : { waitingSince }),
      ...(this.#acknowledgedAt === undefined ? {} : { acknowledgedAt: this.#acknowledgedAt }),
      dropped: this.#dropped,
    }
  }

  keepAlive(): void {
    if (this.#ended) return
    this.#keepalive[Symbol.dispose]()
    this.#keepalive = this.#armKeepalive()
  }

  end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#keepalive[Symbol.dispose]()
    this.outbox[Symbol.dispose]()
    this.#notices.length = 0
    this.#options.link.close(reason)
    this.#onRoom?.()
  }

  #armKeepalive(): Disposable {
    return this.#options.clock.after(KEEPALIVE_TIMEOUT, () => {
      // While the node is not read, its keepalives wait with everything else.
      if (this.#onRoom) this.#keepalive = this.#armKeepalive()
      else this.end('no keepalive for 30 s')
    })
  }

  async #drain(): Promise<void> {
    this.#writing = true
    for (let frame = this.#notices.shift(); frame; frame = this.#notices.shift()) await this.#write(frame)
    this.#writing = false
  }

  async #write(frame: Frame): Promise<void> {
    try {
      await this.#options.link.send(frame)
    } catch (error) {
      if (this.#ended) return
      this.#options.log.debug('A frame could not be written', { node: this.peer.node, error: describeError(error) })
      this.end('a frame could not be written')
    }
  }
}
