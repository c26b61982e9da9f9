import { BugError, UnavailableError } from '../lifecycle/errors.ts'
import { packError, unpackError } from '../lifecycle/pack-error.ts'
import type { Logger } from '../log/logger.ts'
import { isPortMessage, type PortMessage } from './port-messages.ts'

/** Most messages on their way that the other thread has not taken: a thread that is stuck must not fill our memory. */
const WINDOW = 4096
const TAKEN_EVERY = 256
/** Most requests on their way, in each direction. */
const MOST_REQUESTS = 1024

/** One end of a line between two threads or processes: a MessagePort, or what does the same over a pipe. Keeps the order. */
export interface BusPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  close(): void
}

export interface PortLinkHandlers {
  onMessage(message: PortMessage): void
  onRequest(channel: string, question: unknown, milliseconds: number, signal: AbortSignal): Promise<unknown>
  onClose(): void
}

/** Messages and requests on one port, bounded in both directions. */
export class PortLink {
  readonly #port: BusPort
  readonly #log: Logger
  readonly #handlers: PortLinkHandlers
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  readonly #answering = new Map<number, AbortController>()
  /** The latest state of each slot that waits for the window to open. */
  readonly #parked = new Map<string, PortMessage>()
  #ids = 0
  #underway = 0
  #taken = 0
  #dropped = 0
  #closed = false

  constructor(port: BusPort, log: Logger, handlers: PortLinkHandlers) {
    this.#port = port
    this.#log = log
    this.#handlers = handlers
    port.on('message', (message: unknown) => this.#receive(message))
    port.on('close', () => this.close())
  }

  get closed(): boolean {
    return this.#closed
  }

  /** For what is bounded by itself: subscriptions, listings, answers. Throws BugError for what cannot be cloned. */
  send(message: PortMessage): void {
    if (this.#closed) return
    try {
      this.#port.postMessage(message)
    } catch (cause) {
      throw new BugError('A message of the bus cannot be cloned', {
        code: 'PLATFORM_BUS_NOT_CLONEABLE',
        fields: { type: message.type, ...('channel' in message ? { channel: message.channel } : {}) },
        cause,
      })
    }
    if (message.type !== 'taken') this.#underway++
  }

  /** Dropped, counted and logged when the other thread is far behind: an event has no memory. */
  sendEvent(message: PortMessage & { readonly type: 'publish' }): void {
    if (this.#underway < WINDOW) {
      this.send(message)
    } else if (this.#dropped++ === 0) {
      this.#log.warn('Events for a thread that is far behind are dropped', { channel: message.channel })
    }
  }

  /** When the other thread is far behind, only the latest message of a slot is kept: state is sent as state. */
  sendState(slot: string, message: PortMessage): void {
    if (this.#underway < WINDOW && this.#parked.size === 0) {
      this.send(message)
    } else {
      this.#parked.delete(slot)
      this.#parked.set(slot, message)
    }
  }

  /** The caller brings the deadline by its signal; `milliseconds` is for the other side. */
  request(channel: string, question: unknown, milliseconds: number, signal: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(portClosed(channel))
    if (this.#asked.size >= MOST_REQUESTS) return Promise.reject(full(channel))
    const id = ++this.#ids
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const onAbort = () => {
      this.send({ type: 'cancel', id })
      reject(signal.reason)
    }
    this.#asked.set(id, { resolve, reject })
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      this.send({ type: 'request', id, channel, question, milliseconds })
    } catch (error) {
      reject(error)
    }
    return promise.finally(() => {
      this.#asked.delete(id)
      signal.removeEventListener('abort', onAbort)
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#port.close()
    for (const { reject } of this.#asked.values()) reject(portClosed())
    for (const controller of this.#answering.values()) controller.abort(portClosed())
    this.#parked.clear()
    this.#handlers.onClose()
  }

  #receive(message: unknown): void {
    if (this.#closed || !isPortMessage(message)) return
    if (message.type === 'taken') {
      this.#opened(message.count)
      return
    }
    if (++this.#taken >= TAKEN_EVERY) {
      this.send({ type: 'taken', count: this.#taken })
      this.#taken = 0
    }
    if (message.type === 'request') void this.#answer(message)
    else if (message.type === 'cancel') this.#answering.get(message.id)?.abort(new Error('the caller has given up'))
    else if (message.type === 'answer') this.#asked.get(message.id)?.resolve(message.value)
    else if (message.type === 'failure') this.#asked.get(message.id)?.reject(unpackError(message.error))
    else this.#handlers.onMessage(message)
  }

  #opened(count: number): void {
    this.#underway -= count
    if (this.#dropped > 0) this.#log.warn('Events were dropped', { count: this.#dropped })
    this.#dropped = 0
    for (const [slot, parked] of this.#parked) {
      if (this.#underway >= WINDOW) return
      this.#parked.delete(slot)
      this.send(parked)
    }
  }

  async #answer({ id, channel, question, milliseconds }: PortMessage & { type: 'request' }): Promise<void> {
    try {
      if (this.#answering.size >= MOST_REQUESTS) throw full(channel)
      const controller = new AbortController()
      this.#answering.set(id, controller)
      const value = await this.#handlers.onRequest(channel, question, milliseconds, controller.signal)
      this.send({ type: 'answer', id, value })
    } catch (error) {
      this.send({ type: 'failure', id, error: packError(error) })
    } finally {
      this.#answering.delete(id)
    }
  }
}

function portClosed(channel?: string): UnavailableError {
  return new UnavailableError('The other end of the bus is gone', {
    code: 'PLATFORM_BUS_PORT_CLOSED',
    fields: channel === undefined ? {} : { channel },
  })
}

function full(channel: string): UnavailableError {
  return new UnavailableError('Too many requests wait for the other end of the bus', {
    code: 'PLATFORM_BUS_FULL',
    fields: { channel },
  })
}
