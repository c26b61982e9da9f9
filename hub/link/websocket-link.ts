import type { RawData, WebSocket } from 'ws'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, type Duration, ms, seconds } from '../../platform/time/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { decodeFrame } from './frame-codec.ts'
import { FrameQueue } from './frame-queue.ts'
import type { Link } from './link.ts'
import { WebSocketWriter, type Wire } from './websocket-writer.ts'

export interface WebSocketLinkOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly isSkerry: boolean
  /** Default: none. */
  readonly cloudEpoch?: string
  /** See Link. */
  readonly tunnel?: string
  /** Bytes that have come in: a large frame is a sign of life before it is whole. */
  readonly bytesRead?: () => number
  /** Below the WebSocket. */
  readonly wire?: Wire
  /** Silence of the peer after which the link is closed; default 30 s. A peer that lives answers pings, some four in that time. */
  readonly deadAfter?: Duration
}

/** Default of the largest message that is taken: parity with KubeEdge's own cap. */
export const LARGEST_FRAME = 32 * 1024 * 1024
/** KubeEdge edges queue 100 frames and drop the oldest beyond; this end stops reading instead. */
const QUEUE_LIMITS = { most: 1000, mostBytes: 4 * 1024 * 1024, turn: 32 }
/** A socket that takes nothing for so long has lost its peer, or its peer does not read. */
const WRITE_STALLED = seconds(15)
/** A peer that does not take its closing frame is cut off after this. */
const CLOSE_DEADLINE = seconds(2)
/** Pings, pongs and messages that are no frames, between two pings of this end. */
const MOST_NOISE = 1000

/**
 * A link over an open WebSocket without automatic pongs, the same at both ends: text frames, no compression, pings both ways.
 * Anything that arrives (a pong, too) shows that the peer lives; KubeEdge peers send no pings, but they answer them.
 */
export function linkOver(socket: WebSocket, options: WebSocketLinkOptions): Link {
  const {
    clock,
    log,
    isSkerry,
    cloudEpoch = '',
    tunnel = '',
    deadAfter = seconds(30),
    bytesRead = () => 0,
    wire,
  } = options
  const pingEvery = ms(Math.min(8000, deadAfter.milliseconds / 3.75))
  const queue = new FrameQueue<RawData>(QUEUE_LIMITS, (isFull) => (isFull ? socket.pause() : socket.resume()))
  const closed = Promise.withResolvers<string>()
  let reason: string | undefined
  let heardAt = clock.monotonic()
  let seen = bytesRead()
  let noise = 0
  let strange = 0
  let timer: Disposable

  const terminate = (why: string) => {
    reason ??= why
    socket.terminate()
  }
  const writer = new WebSocketWriter(socket, {
    clock,
    stalledAfter: WRITE_STALLED,
    ...(wire ? { wire } : {}),
    onStalled: () => terminate(`the peer took no data for ${WRITE_STALLED.milliseconds / 1000} s`),
  })
  const close = (why: string) => {
    if (socket.readyState === socket.CLOSED) return
    reason = why
    socket.close(1000, closeReason(why))
    // A paused or dead peer never answers the closing frame.
    clock.after(CLOSE_DEADLINE, () => socket.terminate())
  }
  const heard = () => {
    heardAt = clock.monotonic()
  }
  const annoyed = () => {
    if (++noise > MOST_NOISE) terminate('the peer sends too many pings, or messages that are no frames')
  }
  const watch = () => {
    // While this end does not read, it cannot hear.
    if (socket.isPaused || bytesRead() !== seen) heard()
    seen = bytesRead()
    noise = 0
    if (clock.monotonic() - heardAt > deadAfter.milliseconds) {
      return terminate(`the peer was silent for ${deadAfter.milliseconds / 1000} s`)
    }
    if (socket.readyState === socket.OPEN) socket.ping()
    timer = clock.after(pingEvery, watch)
  }
  timer = clock.after(pingEvery, watch)
  const answerPing = createAnswerer(socket)

  async function* frames(): AsyncGenerator<Frame> {
    for await (const data of queue) {
      const decoded = decodeFrame(textOf(data))
      if (decoded.ok) yield decoded.frame
      // Once for each link: a peer must not be able to fill the log.
      else if (strange++ === 0)
        log.warn('A message of the peer is no frame and is left out', { reason: decoded.reason })
      if (!decoded.ok) annoyed()
    }
  }

  socket.on('message', (data: RawData) => {
    heard()
    queue.push(data, sizeOf(data))
  })
  socket.on('ping', (data) => {
    heard()
    annoyed()
    answerPing(data)
  })
  socket.on('pong', () => {
    heard()
    annoyed()
  })
  socket.on('error', (error) => {
    reason ??= error.message
  })
  socket.on('close', (_code, said) => {
    timer[Symbol.dispose]()
    writer[Symbol.dispose]()
    queue.close()
    closed.resolve(reason ?? `the peer closed the connection${said.length > 0 ? `: ${said}` : ''}`)
  })
  return {
    isSkerry,
    cloudEpoch,
    tunnel,
    frames: { [Symbol.asyncIterator]: frames },
    closed: closed.promise,
    close,
    send: (frame) => writer.send(frame),
  }
}

/** One pong at a time: a peer that pings and does not read must not fill the memory. The latest ping is answered (RFC 6455, 5.5.3). */
function createAnswerer(socket: WebSocket): (data: Buffer) => void {
  let isWriting = false
  let latest: Buffer | undefined
  const answer = (data: Buffer) => {
    if (isWriting || socket.readyState !== socket.OPEN) {
      latest = data
      return
    }
    isWriting = true
    socket.pong(data, undefined, () => {
      isWriting = false
      const next = latest
      latest = undefined
      if (next) answer(next)
    })
  }
  return answer
}

/** At most 123 bytes fit into a closing frame (RFC 6455, 5.5). */
function closeReason(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= 123 ? reason : bytes.toString('utf8', 0, 120).replace(/\uFFFD+$/, '')
}

function sizeOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8')
}
