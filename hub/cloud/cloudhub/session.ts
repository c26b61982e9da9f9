import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import type { NodePeer, NodeSnapshot } from './delivery.ts'
import { Holdings } from './holdings.ts'
import { Notices } from './notices.ts'
import { Outbox, type OutboxItem, type OutboxOptions } from './outbox.ts'

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
  readonly onAcknowledged: OutboxOptions['onAcknowledged']
  readonly onRefused: NonNullable<OutboxOptions['onRefused']>
  /** More objects may be put into the outbox. */
  readonly onRoom: () => void
  /** A frame to the node was dropped. */
  readonly onDrop: (cause: string) => void
  /** Just before the outbox is emptied. */
  readonly onEnd: () => void
}

/** KubeEdge edges send a keepalive each 15 s and expect 30 s of patience. */
const KEEPALIVE_TIMEOUT = seconds(30)
/** Under the receive queue of 100 frames that an edge keeps. */
const SKERRY_WINDOW = 32
/** Frames of the node that others work on; beyond that its socket is not read. */
const MOST_UNSETTLED = 64

/** One connected node: its two queues down, the work on what it says, and the timer of its keepalives. */
export class Session {
  readonly peer: NodePeer
  readonly outbox: Outbox
  /** What an acknowledgement of this session bears, and a record has to bear to count: which memory of the edge it speaks of. */
  epoch: string
  /** Towards an original edge: what it acknowledged in this session, by uid. */
  readonly confirmed = new Map<string, OutboxItem>()
  /** Settles when the mark of the process is made that registered in this session. */
  marked: Promise<void> | undefined
  /** What the node said that it has. */
  readonly holdings = new Holdings()
  readonly #options: SessionOptions
  readonly #notices: Notices
  readonly #connectedAt: number
  #acknowledgedAt: number | undefined
  #dropped = 0
  #unsettled = 0
  #onRoom: (() => void) | undefined
  #keepalive: Disposable
  #ended = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.peer = options.peer
    this.epoch = options.peer.epoch
    this.#connectedAt = options.clock.now()
    this.outbox = new Outbox({
      window: options.peer.skerry ? SKERRY_WINDOW : 1,
      clock: options.clock,
      random: options.random,
      send: (frame) => this.#write(frame),
      onAcknowledged: (item, took, next) => {
        this.#acknowledgedAt = options.clock.now()
        if (item.isUnrecorded) this.holdings.acknowledged(item)
        else if (options.peer.skerry) this.holdings.settled(item.key)
        if (item.isDeletion) this.confirmed.delete(item.key)
        else if (!options.peer.skerry) this.confirmed.set(item.key, item)
        options.onAcknowledged(item, took, next)
      },
      onRefused: options.onRefused,
      onRoom: options.onRoom,
    })
    this.#notices = new Notices({
      clock: options.clock,
      isPaced: !options.peer.skerry,
      write: (frame) => this.#write(frame),
      onDrop: (cause) => {
        this.#dropped++
        options.onDrop(cause)
      },
    })
    this.#keepalive = this.#armKeepalive()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Sends once, without acknowledgement. False where it was dropped, or the session has ended. */
  notify(frame: Frame): boolean {
    return !this.#ended && this.#notices.put(frame)
  }

  /** True where the frame still waited; then it never goes. */
  withdraw(frame: Frame): boolean {
    return this.#notices.withdraw(frame)
  }

  /** Says one last thing and ends. */
  expel(last: Frame, reason: string): void {
    if (this.#ended) return
    void this.#write(last)
    this.end(reason)
  }

  /** Frames of the node that are worked on. */
  get unsettled(): number {
    return this.#unsettled
  }

  get noticeDepth(): number {
    return this.#notices.depth
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
    this.#options.onEnd()
    this.outbox[Symbol.dispose]()
    this.#notices[Symbol.dispose]()
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
