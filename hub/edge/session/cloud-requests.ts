import type { Frame, FrameRoute, Json } from '../../../schemas/index.ts'

/** What other parts of the edge ask of the cloud. */
export interface CloudRequests {
  readonly isConnected: boolean
  /**
   * Sends a request and gives its answer. Rejects with UnavailableError: HUB_OFFLINE at once while there is no link, HUB_REQUEST_FAILED
   * where the cloud answers with an error; with DeadlineError where it does not answer.
   */
  ask(route: FrameRoute, content: Json): Promise<Frame>
  /** Tells the cloud that its answer has arrived, for answers that it sends again otherwise. */
  acknowledge(answer: Frame): Promise<void>
  /** Sends what the cloud never answers; settles when the socket has taken it. */
  tell(route: FrameRoute, content: Json): Promise<void>
}
