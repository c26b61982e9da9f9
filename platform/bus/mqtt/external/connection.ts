/** A message from the broker. */
export interface Incoming {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

/** What is owed for a message. */
export interface Receipt {
  /** The next message may come. Until it is called none does, and the broker is held up. */
  proceed(): void
  /** PUBACK. Never called for a message whose receipt is withheld. */
  acknowledge(): void
}

export type Receive = (message: Incoming, receipt: Receipt) => void

/** A message for the broker, at QoS 1. */
export interface Outgoing {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly retain: boolean
}

/** One MQTT connection to a broker, from its CONNACK to its end. */
export interface BrokerConnection {
  /** Fulfils with the reason when the connection has ended; never rejects. */
  readonly closed: Promise<string>
  /** `done` is called once, with the receipt; not at all when the connection ends before. */
  publish(message: Outgoing, done: () => void): void
  /** False when the broker refuses. Rejects when the connection ends before the answer. */
  subscribe(filter: string, qos: 0 | 1): Promise<boolean>
  unsubscribe(filter: string): Promise<void>
  /** Says goodbye (DISCONNECT). */
  end(): void
  /** Ends at once, with this reason. */
  abort(reason: string): void
}

/** Connects. Rejects when that fails, or with the signal's reason; nothing is left open then. */
export type Dial = (receive: Receive, signal: AbortSignal) => Promise<BrokerConnection>
