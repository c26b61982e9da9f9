import type { AedesPublishPacket } from 'aedes'
import type { Exchange, Published } from './exchange.ts'

/**
 * The inner distribution in the shape that aedes expects of `mq`: everything goes to the exchange, which knows who is subscribed.
 * Listeners come and go at once: aedes forgets who a client id belongs to when several take it over while one is being closed.
 */
export class Queue {
  /** Asked for by aedes; there is no limit, since no message waits here. */
  readonly concurrency = 0
  closed = false
  readonly #exchange: Exchange

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  on(_filter: string, _deliver: unknown, done?: () => void): this {
    done?.()
    return this
  }

  removeListener(_filter: string, _deliver: unknown, done?: () => void): this {
    done?.()
    return this
  }

  emit(packet: AedesPublishPacket & { readonly clientId?: string }, done?: (error?: Error) => void): this {
    if (this.closed) done?.(new Error('the broker is closed'))
    else this.#exchange.route(publishedOf(packet, packet.clientId), () => done?.())
    return this
  }

  close(done: () => void): this {
    this.closed = true
    setImmediate(done)
    return this
  }
}

export function publishedOf(
  packet: {
    readonly topic: string
    readonly payload: string | Uint8Array
    readonly qos: 0 | 1 | 2
    readonly retain: boolean
  },
  from?: string,
): Published {
  const { topic, payload, qos, retain } = packet
  return { topic, payload: bufferOf(payload), qos, retain, from }
}

export function bufferOf(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload)
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}
