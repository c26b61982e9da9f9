/** One process of the cloud half, as witnesses know it. */
export interface CloudRun {
  /** Another one for each process that ever ran, from 1. */
  readonly number: number
  /** Virtual ms. */
  readonly startedAt: number
  /** uid of what was deleted from the API, once this process has heard of it. */
  readonly knownDeleted: Set<string>
}

/** When a frame is seen. */
export interface FrameMoment {
  /** The process of the cloud half at its end of the connection. */
  readonly run: CloudRun
  /** Else it is handed to the connection. */
  readonly isArrival: boolean
}
