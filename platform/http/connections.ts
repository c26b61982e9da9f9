import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, type Duration, ms } from '../time/index.ts'
import { detachParser, linger, refuse } from './linger.ts'
import type { OnRefused } from './refusals.ts'

export interface ConnectionLimits {
  readonly clock: Clock
  /** For the head of a request from the begin of its connection. */
  readonly headWithin: Duration
  /** So much longer for one after an answer. */
  readonly idleWithin: Duration
  /** In which a peer has to read some of an answer that has ended. */
  readonly readWithin: Duration
  readonly onRefused: OnRefused
}

interface State {
  readonly exchanges: Set<Exchange>
  head: Disposable | undefined
  /** Nothing more is read of it. */
  isOver: boolean
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Connections of a server: how long each may take to say what it wants and to read its answer, and what becomes of nonsense. */
export class Connections {
  readonly #limits: ConnectionLimits
  readonly #states = new WeakMap<Socket, State>()

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** HTTP may begin on it. */
  opened(socket: Socket): void {
    const state: State = { exchanges: new Set(), head: undefined, isOver: false }
    this.#states.set(socket, state)
    this.#expectHead(socket, state, this.#limits.headWithin)
    socket.once('close', () => state.head?.[Symbol.dispose]())
  }

  /** It is no concern of HTTP any more. */
  handedOver(socket: Socket): void {
    this.#states.get(socket)?.head?.[Symbol.dispose]()
  }

  begun(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const state = this.#states.get(socket)
    if (!state) return
    const exchange = { request, response }
    state.head?.[Symbol.dispose]()
    state.exchanges.add(exchange)
    // Node.js ends a connection that moves nothing for so long, and sets another time when the answer is read.
    response.once('prefinish', () => socket.setTimeout(this.#limits.readWithin.milliseconds))
    response.once('close', () => this.#answered(socket, state, exchange))
  }

  /** What came is no request, or not the rest of one. */
  failed(error: Error, socket: Socket): void {
    const state = this.#states.get(socket)
    const code = 'code' in error ? error.code : undefined
    if (!state || code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    if (state.isOver) return
    state.isOver = true
    state.head?.[Symbol.dispose]()
    this.#limits.onRefused(code === 'HPE_HEADER_OVERFLOW' ? 'long' : 'malformed')
    const last = [...state.exchanges].at(-1)
    if (last?.request.complete) {
      // Requests before it are answered still; what came is not.
      last.response.shouldKeepAlive = false
      detachParser(socket)
      socket.pause()
    } else if (last && (last.response.headersSent || state.exchanges.size > 1)) socket.destroy()
    else refuse(socket, statusOf(code), this.#limits.clock)
  }

  #answered(socket: Socket, state: State, exchange: Exchange): void {
    const { response } = exchange
    state.exchanges.delete(exchange)
    if (response.writableEnded && !response.writableFinished && !state.isOver) this.#limits.onRefused('unread')
    if (socket.destroyed) return
    if (state.exchanges.size > 0) socket.setTimeout(0)
    else if (state.isOver) linger(socket, this.#limits.clock)
    else this.#expectHead(socket, state, plus(this.#limits.headWithin, this.#limits.idleWithin))
  }

  #expectHead(socket: Socket, state: State, within: Duration): void {
    const { clock, onRefused } = this.#limits
    const before = socket.bytesRead
    const isUsed = before > 0
    state.head = clock.after(within, () => {
      state.isOver = true
      // Whoever asks nothing more has done no wrong.
      if (isUsed && socket.bytesRead === before) return void socket.destroySoon()
      onRefused('slow')
      refuse(socket, 408, clock)
    })
  }
}

function statusOf(code: unknown): 400 | 413 | 431 {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW' ? 413 : 400
}

function plus(one: Duration, other: Duration): Duration {
  return ms(one.milliseconds + other.milliseconds)
}
