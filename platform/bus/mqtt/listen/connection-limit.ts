import type { Server, Socket } from 'node:net'

/** Silence after which TCP asks whether the other end is still there. */
const PROBE_AFTER_MS = 60_000

/** One bound for the connections of several servers, counted before anything of them is read. */
export class ConnectionLimit {
  readonly #max: number
  readonly #onRefused: () => void
  #open = 0

  constructor(max: number, onRefused: () => void) {
    this.#max = max
    this.#onRefused = onRefused
  }

  /** Before the server's own listeners are added, so that it comes first. */
  watch(server: Server): void {
    server.prependListener('connection', (socket: Socket) => {
      if (this.#open >= this.#max) {
        this.#onRefused()
        socket.destroy()
        return
      }
      // A client without MQTT keep-alive that is cut off would hold its place, and its client id, for ever.
      socket.setKeepAlive(true, PROBE_AFTER_MS)
      this.#open++
      socket.once('close', () => {
        this.#open--
      })
    })
  }
}
