import type { Frame } from '../../schemas/index.ts'

/** One connection between CloudHub and EdgeHub, whatever carries it. Order is kept in both directions. */
export interface Link {
  /** Settles when the frame was handed to the transport; rejects when the link is closed or the peer takes too long. */
  send(frame: Frame): Promise<void>
  /** Frames in their order; ends when the link closes. Messages that are no frames are counted and left out. */
  readonly frames: AsyncIterable<Frame>
  /** Settles with the reason, never rejects. */
  readonly closed: Promise<string>
  close(reason: string): void
  /** Whether the other end understands the skerry keys. */
  readonly isSkerry: boolean
  /** Identity of what the cloud remembers, as it said at the opening; empty where it said none, and at the cloud's own end. */
  readonly cloudEpoch: string
  /** Where the cloud has its tunnel server, as it said at the opening (TUNNEL_HEADER); absent or empty where it said nothing. */
  readonly tunnel?: string
}

/** Opens a link to the cloud, or rejects. */
export interface LinkDialer {
  dial(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Link>
}

/** What CloudHub says when it refuses a certificate that has ended, and an edge knows by. */
export const CERTIFICATE_ENDED = 'the certificate has expired: renew it'
