/** One connected node as CloudHub sees it. Times are Unix ms. */
export interface NodeLink {
  readonly node: string
  readonly since: number
  readonly peer: 'skerry' | 'kubeedge'
  /** Objects that it has not acknowledged, those under way among them. */
  readonly outbox: number
  /** Frames without acknowledgement that wait for its socket. */
  readonly notices: number
  /** Its last receipt for an object; absent: none on this link. */
  readonly lastReceipt?: number
}

/** The roads to all nodes at one moment, for people: `skerry status` of a cloud half shows them. */
export interface NodeLinks {
  readonly nodes: readonly NodeLink[]
  /** What was dropped or refused since the start, by cause as the metrics name it. */
  readonly dropped: Readonly<Record<string, number>>
}
