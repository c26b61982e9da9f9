import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, ms } from '../../../../platform/time/index.ts'
import type { Frame } from '../../../../schemas/index.ts'
import { decodeFrame, encodeFrame } from '../../../link/frame-codec.ts'
import { FrameQueue } from '../../../link/frame-queue.ts'
import type { Link, LinkDialer } from '../../../link/link.ts'
import type { CloudRun, FrameMoment } from '../parts/cloud-run.ts'
import { Pipe } from './pipe.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What the wire between one node and the cloud is like at a moment. Both directions are apart, as routes are. */
export interface Wire {
  /** ms of a frame on its way, from and to. */
  delay: readonly [number, number]
  /** ms between two frames: a slow line. */
  gap: number
  isUpOpen: boolean
  isDownOpen: boolean
}

export interface Caller {
  readonly headers: Readonly<Record<string, string>>
  readonly node: string
  readonly link: Link
}

/** Told of each frame that is handed to a connection, and of each that arrives. */
export type OnFrame = (node: string, way: 'up' | 'down', frame: Frame, at: FrameMoment) => void

/** A process of the cloud half that listens. */
export interface Server {
  readonly replica: string
  readonly run: CloudRun
  /** Gives the identity of its memory; undefined: the caller is refused. */
  readonly answer: (caller: Caller) => string | undefined
}

/** As of a WebSocket link: pings each 8 s, closed after 30 s of silence. */
const SILENCE_MS = 30_000
const PING_MS = 8_000
const WRITE_DEADLINE_MS = 15_000
const HANDSHAKE_DEADLINE_MS = 30_000
const CLOSE_DEADLINE_MS = 2_000
/** Frames that an operating system takes for a peer that does not read. */
const SOCKET_BUFFER = 64
const QUEUE_LIMIT = 1000

/** All connections of a world. A connection behaves as TCP does: in order, whole, until it ends; nothing says when it is dead. */
export class Network {
  readonly #scheduler: Scheduler
  readonly #random: SeededRandom
  readonly #wires = new Map<string, Wire>()
  readonly #connections = new Set<Connection>()
  readonly #onFrame: OnFrame
  /** Whoever is there answers, as behind one address. */
  #servers: readonly Server[] = []

  constructor(scheduler: Scheduler, random: SeededRandom, onFrame: OnFrame) {
    this.#scheduler = scheduler
    this.#random = random
    this.#onFrame = onFrame
  }

  wire(node: string): Wire {
    const found = this.#wires.get(node)
    if (found) return found
    const made: Wire = { delay: [1, 20], gap: 0, isUpOpen: true, isDownOpen: true }
    this.#wires.set(node, made)
    return made
  }

  connectionsOf(node: string): readonly Connection[] {
    return [...this.#connections].filter((each) => each.node === node && !each.isOver)
  }

  /** After a wire was changed. */
  changed(node: string): void {
    const { isUpOpen, isDownOpen } = this.wire(node)
    for (const connection of this.connectionsOf(node)) {
      connection.up.hold('wire', !isUpOpen)
      connection.down.hold('wire', !isDownOpen)
    }
  }

  listen(server: Server): void {
    this.#servers = [...this.#servers, server]
  }

  unlisten(replica: string): void {
    this.#servers = this.#servers.filter((each) => each.replica !== replica)
  }

  /** What the machine of a process does for it when it ends: its peers hear of it. `name`: of the node or replica. */
  ended(end: 'edge' | 'cloud', name: string): void {
    for (const connection of [...this.#connections])
      if ((end === 'edge' ? connection.node : connection.server.replica) === name) connection.reset(end)
  }

  dialer(node: string, clock: Clock, isAlive: () => boolean): LinkDialer {
    const wire = this.wire(node)
    const travel = async (isOpen: () => boolean, signal: AbortSignal, until: number) => {
      await clock.sleep(ms(this.#delay(wire)), signal)
      while (!isOpen()) {
        if (this.#scheduler.now >= until) throw refused('the connection was not made in time', new DeadlineError())
        await clock.sleep(ms(1000), signal)
      }
    }
    return {
      dial: async (headers, signal) => {
        const until = this.#scheduler.now + HANDSHAKE_DEADLINE_MS
        await travel(() => wire.isUpOpen, signal, until)
        const server = this.#random.pick(this.#servers)
        if (!server) {
          await clock.sleep(ms(this.#delay(wire)), signal)
          throw refused('nobody listens')
        }
        const connection = new Connection({
          ...{ node, wire, server, scheduler: this.#scheduler, random: this.#random, onFrame: this.#onFrame },
        })
        this.#connections.add(connection)
        void connection.over.then(() => this.#connections.delete(connection))
        this.changed(node)
        const cloudEpoch = server.answer({ headers, node, link: connection.cloud })
        if (cloudEpoch === undefined) {
          connection.reset('cloud')
          throw refused('CloudHub refused the connection with HTTP 503')
        }
        try {
          await travel(() => wire.isDownOpen, signal, until)
        } catch (error) {
          connection.reset('edge')
          throw error
        }
        if (!isAlive()) connection.reset('edge')
        connection.edge.cloudEpoch = cloudEpoch
        return connection.edge
      },
    }
  }

  #delay({ delay: [low, high] }: Wire): number {
    return low + this.#random.next() * (high - low)
  }
}

interface ConnectionOptions {
  readonly node: string
  readonly server: Server
  readonly wire: Wire
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly onFrame: OnFrame
}

/** One TCP connection with both its ends. */
export class Connection {
  readonly node: string
  readonly server: Server
  readonly up: Pipe
  readonly down: Pipe
  readonly edge: End
  readonly cloud: End
  readonly over: Promise<unknown>
  isOver = false
  readonly #scheduler: Scheduler

  constructor({ node, server, wire, scheduler, random, onFrame }: ConnectionOptions) {
    const { run } = server
    this.node = node
    this.server = server
    this.#scheduler = scheduler
    const pipe = (way: 'up' | 'down', to: () => End) =>
      new Pipe({
        ...{ scheduler, random, wire },
        arrive: (text) => {
          const frame = to().arrive(text)
          if (frame) onFrame(node, way, frame, { run, isArrival: true })
        },
        finish: (reason, isClean) => to().finished(reason, isClean),
        onHeld: () => this.#listen(to(), random),
      })
    this.up = pipe('up', () => this.cloud)
    this.down = pipe('down', () => this.edge)
    const end = (out: Pipe, inward: () => Pipe, way: 'up' | 'down') =>
      new End(scheduler, out, inward, (frame) => onFrame(node, way, frame, { run, isArrival: false }))
    this.edge = end(this.up, () => this.down, 'up')
    this.cloud = end(this.down, () => this.up, 'down')
    this.over = Promise.all([this.edge.closed, this.cloud.closed]).then(() => {
      this.isOver = true
    })
  }

  /** Nothing crosses any more, and nobody is told. */
  blackhole(): void {
    this.up.hold('hole', true)
    this.down.hold('hole', true)
  }

  /** Nothing crosses for a while; what was sent comes late, also after another connection was made. */
  stall(milliseconds: number): void {
    this.up.hold('stall', true)
    this.down.hold('stall', true)
    this.#scheduler.after(milliseconds, () => {
      this.up.hold('stall', false)
      this.down.hold('stall', false)
    })
  }

  /** Something does not cross. */
  get isHeld(): boolean {
    return this.up.heldSince !== undefined || this.down.heldSince !== undefined
  }

  /** Both see it end. */
  cut(): void {
    this.up.drop()
    this.down.drop()
    this.edge.finished('read ECONNRESET', false)
    this.cloud.finished('read ECONNRESET', false)
  }

  /** The process at this end is gone, its operating system closes what it had. */
  reset(end: 'edge' | 'cloud'): void {
    const [mine, out] = end === 'edge' ? [this.edge, this.up] : [this.cloud, this.down]
    if (mine.isClosed) return
    out.end('read ECONNRESET', false)
    mine.finished('the process is gone', false)
  }

  /** Whoever hears nothing for long gives up by itself. */
  #listen(end: End, random: SeededRandom): void {
    const pipe = end === this.edge ? this.down : this.up
    const since = pipe.heldSince
    this.#scheduler.after(SILENCE_MS + random.next() * PING_MS, () => {
      if (pipe.heldSince === since && since !== undefined) end.giveUp('the peer was silent for 30 s')
    })
  }
}

/** One end of a connection, as the process there sees it. */
export class End implements Link {
  readonly isSkerry = true
  cloudEpoch = ''
  readonly frames: FrameQueue
  readonly closed: Promise<string>
  readonly #closed = Promise.withResolvers<string>()
  readonly #scheduler: Scheduler
  readonly #out: Pipe
  readonly #onSend: (frame: Frame) => void
  #state: 'open' | 'closing' | 'closed' = 'open'
  #reason: string | undefined

  constructor(scheduler: Scheduler, out: Pipe, inward: () => Pipe, onSend: (frame: Frame) => void) {
    this.#scheduler = scheduler
    this.#out = out
    this.#onSend = onSend
    this.frames = new FrameQueue({ most: QUEUE_LIMIT }, (isFull) => inward().hold('reader', isFull))
    this.closed = this.#closed.promise
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  async send(frame: Frame): Promise<void> {
    if (this.#state !== 'open') throw new UnavailableError('The link is closed', { code: 'HUB_LINK_CLOSED' })
    this.#onSend(frame)
    this.#out.send(encodeFrame(frame))
    const until = this.#scheduler.now + WRITE_DEADLINE_MS
    while (this.#out.depth > SOCKET_BUFFER && this.#state === 'open') {
      if (this.#scheduler.now >= until) throw new DeadlineError(`no answer within ${WRITE_DEADLINE_MS} ms`)
      await this.#scheduler.sleep(250)
    }
  }

  close(reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#reason = reason
    this.#out.end(`the peer closed the connection: ${reason}`, true)
    // A dead peer never answers the closing frame.
    this.#scheduler.after(CLOSE_DEADLINE_MS, () => this.finished(reason, false))
  }

  /** Without a word to the other end, which could not hear it. */
  giveUp(reason: string): void {
    if (this.#state === 'closed') return
    this.#out.end('read ECONNRESET', false)
    this.finished(reason, false)
  }

  /** What is read of it. */
  arrive(text: string): Frame | undefined {
    const decoded = decodeFrame(text)
    if (this.#state === 'closed' || !decoded.ok) return undefined
    this.frames.push(decoded.frame)
    return decoded.frame
  }

  /** The other end has ended: cleanly, then this one answers; or not. */
  finished(reason: string, isClean: boolean): void {
    if (this.#state === 'closed') return
    if (isClean && this.#state === 'open') this.#out.end(reason, true)
    this.#state = 'closed'
    this.frames.close()
    this.#closed.resolve(this.#reason ?? reason)
  }
}

function refused(message: string, cause?: unknown): UnavailableError {
  return new UnavailableError(message, { code: 'HUB_LINK_REFUSED', cause })
}
