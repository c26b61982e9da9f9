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

/** EventBus: MQTT as the domains see it, whichever broker carries it. */
export interface EventBus {
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void>
  /**
   * Handles what clients publish on a topic filter. The receipt (PUBACK, PUBREC) of a QoS 1 or 2 message is held until the
   * handler settles; a handler that rejects withholds it. Messages of one client are handed over in their order.
   */
  handle(filter: string, handler: (message: MqttMessage) => Promise<void>): Disposable
}
