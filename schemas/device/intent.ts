/** A changed desired value in the spec of a Device, and what the cloud knew when it was made. */
export interface CloudIntent {
  readonly value: string
  /** metadata.generation of the Device in which the change was seen. */
  readonly generation: number
  /** When it was made, Unix ms by the clock of the cloud. Absent: before anybody wrote it down. */
  readonly timestamp?: number
  /** Field manager who made it; `cloud` where the API does not say. */
  readonly author?: string
  /** The wish of the edge that the Device showed then. Absent: it showed none. */
  readonly seen?: SeenWish
}

/** A wish of the edge, by what no other wish for this property has. */
export interface SeenWish {
  /** Counter of the wish. */
  readonly edge: number
  /** When the edge took it, Unix ms. */
  readonly timestamp: number
}

/** By property. */
export type CloudIntents = Readonly<Record<string, CloudIntent>>
