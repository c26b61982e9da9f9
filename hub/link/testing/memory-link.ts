import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, ms } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { decodeFrame, encodeFrame } from '../frame-codec.ts'
import { FrameQueue } from '../frame-queue.ts'
import type { Link, LinkDialer } from '../link.ts'

/** What a direction of a pair does to its frames; may be changed at any time. */
export interface Faults {
  /** How long a frame is under way. Order is kept whatever it changes to. */
  delay: Duration
  /** Frames that are taken and never arrive, as into a dead peer's socket. */
  loses: (frame: Frame) => boolean
  /** How long the transport takes to accept a frame: back-pressure. */
  accepts: Duration
}

export interface LinkPair {
  readonly edge: Link
  readonly cloud: Link
  /** Edge to cloud. */
  readonly up: Faults
  /** Cloud to edge. */
  readonly down: Faults
  /** Both ends see the link go; what is under way is lost. */
  cut(reason: string): void
}

/** Two ends of one link in memory. Each frame crosses as its text, so that what is not JSON does not get through. */
export function createLinkPair(options: { clock: Clock; isSkerry?: boolean; cloudEpoch?: string }): LinkPair {
  const { clock, isSkerry = true, cloudEpoch = isSkerry ? 'cloud-1' : '' } = options
  const up: Faults = { delay: ms(0), loses: () => false, accepts: ms(0) }
  const down: Faults = { delay: ms(0), loses: () => false, accepts: ms(0) }
  const closed = Promise.withResolvers<string>()
  let isOpen = true
  const queues = {
    edge: new FrameQueue<Frame>({ most: 1000 }, () => undefined),
    cloud: new FrameQueue<Frame>({ most: 1000 }, () => undefined),
  }

  const cut = (reason: string) => {
    if (!isOpen) return
    isOpen = false
    queues.edge.close()
    queues.cloud.close()
    closed.resolve(reason)
  }
  const end = (faults: Faults, mine: FrameQueue, others: FrameQueue, epoch: string): Link => {
    let lastArrival = 0
    const arrive = (text: string) => {
      const decoded = decodeFrame(text)
      if (isOpen && decoded.ok) others.push(decoded.frame)
    }
    return {
      isSkerry,
      cloudEpoch: epoch,
      frames: mine,
      closed: closed.promise,
      close: cut,
      async send(frame) {
        if (faults.accepts.milliseconds > 0) await clock.sleep(faults.accepts)
        if (!isOpen) throw new UnavailableError('The link is closed', { code: 'HUB_LINK_CLOSED' })
        const text = encodeFrame(frame)
        if (faults.loses(frame)) return
        const now = clock.monotonic()
        lastArrival = Math.max(lastArrival, now + faults.delay.milliseconds)
        if (lastArrival === now) arrive(text)
        else clock.after(ms(lastArrival - now), () => arrive(text))
      },
    }
  }
  return {
    edge: end(up, queues.edge, queues.cloud, cloudEpoch),
    cloud: end(down, queues.cloud, queues.edge, ''),
    up,
    down,
    cut,
  }
}

export interface MemoryDialer extends LinkDialer {
  /** Headers of every attempt, refused ones too. */
  readonly attempts: readonly Readonly<Record<string, string>>[]
  /** The pair of the last attempt that was let in. */
  readonly pair: LinkPair | undefined
  isReachable: boolean
  isSkerry: boolean
  /** What the cloud says of its memory; a KubeEdge cloud says nothing. */
  cloudEpoch: string
}

/** A dialer whose other end is handed to `accept`. */
export function createMemoryDialer(clock: Clock, accept: (pair: LinkPair) => void): MemoryDialer {
  const attempts: Readonly<Record<string, string>>[] = []
  let pair: LinkPair | undefined
  return {
    attempts,
    get pair() {
      return pair
    },
    isReachable: true,
    isSkerry: true,
    cloudEpoch: 'cloud-1',
    async dial(headers) {
      attempts.push(headers)
      if (!this.isReachable) throw new UnavailableError('nobody listens', { code: 'HUB_LINK_REFUSED' })
      pair = createLinkPair({ clock, isSkerry: this.isSkerry, cloudEpoch: this.isSkerry ? this.cloudEpoch : '' })
      accept(pair)
      return pair.edge
    },
  }
}
