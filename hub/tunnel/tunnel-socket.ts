import type { WebSocket } from 'ws'
import { afterTurn, type Clock, type Duration, seconds } from '../../platform/time/index.ts'
import { encodeTunnelFrame, FRAME_TYPES } from './frame.ts'
import type { TunnelWire } from './turn-writer.ts'

export interface TunnelSocketOptions {
  readonly clock: Clock
  /** Messages go as text, whatever their bytes, as KubeEdge sends and wants them. */
  readonly isText: boolean
  /** Absent: this end sends no pings. */
  readonly pingEvery?: Duration
  /** Silence of the peer after which the connection is closed; default 20 s: four pings. */
  readonly deadAfter?: Duration
  /** Below the WebSocket: what is written while it is corked goes in one piece. */
  readonly connection?: { cork(): void; uncork(): void; readonly bytesRead: number }
  onMessage(message: Buffer): void
  /** Told of each message's size. */
  onBytes?(isOut: boolean, bytes: number): void
}

/** KubeEdge's period of pings, from the edge. */
export const PING_EVERY = seconds(5)
const DEAD_AFTER = seconds(20)
/** A connection that takes nothing for so long has lost its peer, or its peer does not read. */
const STALLED_AFTER = seconds(15)
/** A peer that does not take its closing frame is cut off after this. */
const CLOSE_WITHIN = seconds(2)
/** Pings and pongs between two looks. */
const MOST_NOISE = 1000
const LONGEST_REASON = 120

/**
 * The WebSocket of a tunnel, without automatic pongs, the same at both ends. Whatever arrives shows that the peer lives; one that is
 * silent, or takes nothing, is cut off, so that half a connection does not look like a whole one.
 */
export class TunnelSocket implements TunnelWire {
  /** Settles with the reason, never rejects. */
  readonly closed: Promise<string>
  readonly #socket: WebSocket
  readonly #options: TunnelSocketOptions
  #reason: string | undefined
  #heardAt: number
  #movedAt = 0
  #underWay = 0
  #seen = 0
  #noise = 0
  #isGathering = false
  #pong: Buffer | undefined
  #isPonging = false
  #timer: Disposable

  constructor(socket: WebSocket, options: TunnelSocketOptions) {
    this.#socket = socket
    this.#options = options
    this.#heardAt = options.clock.monotonic()
    this.closed = new Promise((resolve) => {
      socket.on('close', (_code, said) => {
        this.#timer[Symbol.dispose]()
        resolve(this.#reason ?? `the peer closed the tunnel${said.length > 0 ? `: ${said}` : ''}`)
      })
    })
    socket.on('error', (error) => {
      this.#reason ??= error.message
    })
    socket.on('message', (data) => {
      this.#heard()
      if (!Buffer.isBuffer(data)) return
      options.onBytes?.(false, data.length)
      options.onMessage(data)
    })
    socket.on('ping', (data) => {
      this.#heard()
      this.#annoyed()
      this.#answer(data)
    })
    socket.on('pong', () => {
      this.#heard()
      this.#annoyed()
    })
    this.#timer = this.#later()
  }

  write(message: Buffer, taken: () => void): void {
    const { clock, isText } = this.#options
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#gather()
    this.#options.onBytes?.(true, message.length)
    if (this.#underWay++ === 0) this.#movedAt = clock.monotonic()
    this.#socket.send(message, { binary: !isText }, (error) => {
      this.#underWay--
      this.#movedAt = clock.monotonic()
      if (!error) taken()
    })
  }

  /** While it does not read, it does not hear either: its silence is not the peer's. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#heard()
    this.#socket.resume()
  }

  /** Tells the peer why, as KubeEdge does. */
  close(reason: string): void {
    const { clock, isText } = this.#options
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    this.#reason ??= reason
    const why = closeReason(reason)
    socket.send(encodeTunnelFrame(0, FRAME_TYPES.close, why), { binary: !isText }, () => undefined)
    socket.close(1000, why)
    clock.after(CLOSE_WITHIN, () => socket.terminate())
  }

  terminate(reason: string): void {
    this.#reason ??= reason
    this.#socket.terminate()
  }

  #later(): Disposable {
    const { clock, pingEvery = PING_EVERY } = this.#options
    return clock.after(pingEvery, () => this.#watch())
  }

  #watch(): void {
    const { clock, deadAfter = DEAD_AFTER, pingEvery, connection } = this.#options
    const socket = this.#socket
    const now = clock.monotonic()
    const seen = connection?.bytesRead ?? 0
    // A large message is a sign of life before it is whole.
    if (socket.isPaused || seen !== this.#seen) this.#heard()
    this.#seen = seen
    this.#noise = 0
    const isStalled = this.#underWay > 0 && now - this.#movedAt > STALLED_AFTER.milliseconds
    if (now - this.#heardAt > deadAfter.milliseconds) {
      this.terminate(`the peer was silent for ${deadAfter.milliseconds / 1000} s`)
    } else if (isStalled) {
      this.terminate(`the peer took no data for ${STALLED_AFTER.milliseconds / 1000} s`)
    } else {
      if (pingEvery && socket.readyState === socket.OPEN) socket.ping('ping you')
      this.#timer = this.#later()
    }
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.monotonic()
  }

  #annoyed(): void {
    if (++this.#noise > MOST_NOISE) this.terminate('the peer sends too many pings')
  }

  /** One pong at a time, for the latest ping (RFC 6455, 5.5.3): a peer that pings and does not read must not fill the memory. */
  #answer(data: Buffer): void {
    const socket = this.#socket
    if (this.#isPonging || socket.readyState !== socket.OPEN) {
      this.#pong = data
      return
    }
    this.#isPonging = true
    socket.pong(data, undefined, () => {
      this.#isPonging = false
      const latest = this.#pong
      this.#pong = undefined
      if (latest) this.#answer(latest)
    })
  }

  #gather(): void {
    const { connection } = this.#options
    if (!connection || this.#isGathering) return
    this.#isGathering = true
    connection.cork()
    afterTurn(() => {
      this.#isGathering = false
      connection.uncork()
    })
  }
}

/** At most 123 bytes fit into a closing frame (RFC 6455, 5.5). */
function closeReason(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= LONGEST_REASON ? reason : bytes.toString('utf8', 0, LONGEST_REASON - 3).replace(/\uFFFD+$/, '')
}
