import type { Duration } from '../../platform/time/index.ts'
import type { Frame, RoadStatus } from '../../schemas/index.ts'

/** What an uplink needs of the link of the moment. */
export interface Road {
  readonly isSkerry: boolean
  /** Sends a question and gives its answer; default deadline: 20 s. */
  ask(frame: Frame, within?: Duration): Promise<Frame>
  /** Sends a frame and settles with the cloud's receipt. */
  confirm(frame: Frame): Promise<void>
  /** As `confirm`; towards a cloud that gives no receipts for such frames it settles when the socket has taken it. */
  deliver(frame: Frame): Promise<void>
  /** Aborts when the link is gone. */
  readonly signal: AbortSignal
}

/** Who sends on the link of the moment. */
export interface RoadUser {
  connected(road: Road): void
  disconnected(road: Road): void
}

/** The link that a frame came by. */
export interface FrameOrigin {
  readonly isSkerry: boolean
  /** Aborts when the link is gone. */
  readonly signal: AbortSignal
}

/** Calls of local services, and of the cloud by local applications. */
export interface CallRoad extends RoadUser {
  /** Takes what the cloud says to ServiceBus; a reply where somebody waits for one. Bounds itself. Never rejects. */
  take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined>
}

/** Messages of MQTT clients, both ways. */
export interface UserRoad extends RoadUser {
  /** Takes what the cloud says to MQTT clients; a reply where somebody waits for one. Never rejects. */
  take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined>
  readonly status: RoadStatus['userMessages']
}
