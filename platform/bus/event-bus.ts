/** A message from an MQTT client of the node. */
export interface MqttMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** Client id; undefined for messages that come from an external broker. */
  readonly client?: string
  /** Who sent it: user name, or common name of its certificate. Undefined for anonymous clients. */
  readonly user?: string
  /** The only side of a twin that its sender may change; undefined: both. */
  readonly side?: 'desired' | 'reported'
}

export interface PublishOptions {
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}

/** What an MQTT client finds retained below a prefix, made from what is true when it subscribes. */
export interface RetainedView {
  /**
   * Messages whose topics match the filter; all of them for `#`. Iterated at the pace of who reads, while the view may change;
   * a payload is read once, just before it is sent, and is empty for what is gone by then. Whoever serves the view may let
   * the first message wait until it knows what is true.
   */
  messages(filter: string): Iterable<RetainedMessage> | AsyncIterable<RetainedMessage>
}

export interface RetainedMessage {
  readonly topic: string
  readonly payload: string | Uint8Array
}

/** The live side of a view. Disposing ends the view; subscribers keep what they have heard. */
export interface ViewHandle extends Disposable {
  /** Whether anybody may be subscribed to anything there. Costs next to nothing. */
  readonly hasWatchers: boolean
  /** Whether somebody would get a message on this topic now; asked before one is made. */
  isWatched(topic: string): boolean
  /** Something there changed: goes to those who are subscribed. An empty payload says that it is gone. */
  show(topic: string, payload: string | Uint8Array): void
}

/** EventBus: MQTT as the domains see it, whichever broker carries it. */
export interface EventBus {
  /**
   * Whether a message on this topic would reach anybody, now or when an absent session returns. Asked before a message is
   * made; true where it is not known.
   */
  isWatched(topic: string): boolean
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void>
  /**
   * Handles what clients publish on a topic filter. The receipt (PUBACK, PUBREC) of a QoS 1 or 2 message is held until the
   * handler settles; a handler that rejects withholds it. Messages of one client are handed over in their order.
   */
  handle(filter: string, handler: (message: MqttMessage) => Promise<void>): Disposable
  /** Answers for all retained messages below `<prefix>/`, where clients can store none. One view per prefix. */
  view(prefix: string, view: RetainedView): ViewHandle
}
