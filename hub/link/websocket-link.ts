import type { RawData, WebSocket } from 'ws'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { type Clock, type Duration, seconds, withDeadline } from '../../platform/time/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { decodeFrame, encodeFrame } from './frame-codec.ts'
import { FrameQueue } from './frame-queue.ts'
import type { Link } from './link.ts'

export interface WebSocketLinkOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly isSkerry: boolean
  /** Default: none. */
  readonly cloudEpoch?: string
  /** Silence of the peer after which the link is closed; default 30 s. A peer that lives answers pings. */
  readonly deadAfter?: Duration
  /** Default 8 s. */
  readonly pingEvery?: Duration
}

/** Default of the largest message that is taken: parity with KubeEdge's own cap. */
export const LARGEST_FRAME = 32 * 1024 * 1024
/** KubeEdge edges queue 100 frames and drop the oldest beyond; this end stops reading instead. */
const QUEUE_LIMIT = 1000
const WRITE_DEADLINE = seconds(15)
/** A peer that does not take its closing frame is cut off after this. */
const CLOSE_DEADLINE = seconds(2)

/**
 * A link over an open WebSocket, the same at both ends: text frames, no compression, pings both ways. Anything that arrives
 * (a pong, too) shows that the peer lives; KubeEdge peers send no pings, but they answer them.
 */
export function linkOver(socket: WebSocket, options: WebSocketLinkOptions): Link {
  const { clock, log, isSkerry, cloudEpoch = '', deadAfter = seconds(30), pingEvery = seconds(8) } = options
  const queue = new FrameQueue(QUEUE_LIMIT, (isFull) => (isFull ? socket.pause() : socket.resume()))
  const closed = Promise.withResolvers<string>()
  let reason: string | undefined
  let heardAt = clock.monotonic()
  let strange = 0
  let timer: Disposable

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
  const watch = () => {
    // While this end does not read, it cannot hear.
    if (socket.isPaused) heard()
    if (clock.monotonic() - heardAt > deadAfter.milliseconds) {
      reason = `the peer was silent for ${deadAfter.milliseconds / 1000} s`
      socket.terminate()
      return
    }
    if (socket.readyState === socket.OPEN) socket.ping()
    timer = clock.after(pingEvery, watch)
  }
  timer = clock.after(pingEvery, watch)

  socket.on('message', (data: RawData) => {
    heard()
    const decoded = decodeFrame(textOf(data))
    if (decoded.ok) return queue.push(decoded.frame)
    // Once for each link: a peer must not be able to fill the log.
    if (strange++ === 0) log.warn('A message of the peer is no frame and is left out', { reason: decoded.reason })
  })
  socket.on('ping', heard)
  socket.on('pong', heard)
  socket.on('error', (error) => {
    reason = error.message
  })
  socket.on('close', (_code, said) => {
    timer[Symbol.dispose]()
    queue.close()
    closed.resolve(reason ?? `the peer closed the connection${said.length > 0 ? `: ${said}` : ''}`)
  })
  return {
    isSkerry,
    cloudEpoch,
    frames: queue,
    closed: closed.promise,
    close,
    send: (frame) => withDeadline(clock, WRITE_DEADLINE, undefined, () => write(socket, frame)),
  }
}

function write(socket: WebSocket, frame: Frame): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new UnavailableError('The link is closed', { code: 'HUB_LINK_CLOSED', cause }))
    if (socket.readyState !== socket.OPEN) return fail(undefined)
    socket.send(encodeFrame(frame), { binary: false }, (error) => (error ? fail(error) : resolve()))
  })
}

/** At most 123 bytes fit into a closing frame (RFC 6455, 5.5). */
function closeReason(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= 123 ? reason : bytes.toString('utf8', 0, 120).replace(/\uFFFD+$/, '')
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8')
}
