import type { Server, Socket } from 'node:net'
import { Places } from '../../../lifecycle/places.ts'

/** Silence after which TCP asks whether the other end is still there. */
const PROBE_AFTER_MS = 60_000

export interface ConnectionLimits {
  readonly most: number
  /** Of one address, among those for which `isShared` holds. */
  readonly mostOfAddress: number
  readonly isShared: (socket: Socket) => boolean
  readonly onRefused: (reason: 'connections' | 'pod-connections') => void
}

/** One bound for the connections of several servers, counted before anything of them is read. */
export class ConnectionLimit {
  readonly #limits: ConnectionLimits
  /** By address; all that are not shared are one holder. */
  readonly #places = new Places<string>()

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Before the server's own listeners are added, so that it comes first. */
  watch(server: Server): void {
    server.prependListener('connection', (socket: Socket) => {
      const address = this.#limits.isShared(socket) ? (socket.remoteAddress ?? 'gone') : ''
      const refusal = this.#refuse(address)
      if (refusal) {
        this.#limits.onRefused(refusal)
        socket.destroy()
        return
      }
      // A client without MQTT keep-alive that is cut off would hold its place, and its client id, for ever.
      socket.setKeepAlive(true, PROBE_AFTER_MS)
      const place = this.#places.take(address)
      socket.once('close', () => place[Symbol.dispose]())
    })
  }

  #refuse(address: string) {
    if (this.#places.taken >= this.#limits.most) return 'connections'
    const isFull = address !== '' && this.#places.takenBy(address) >= this.#limits.mostOfAddress
    return isFull ? 'pod-connections' : undefined
  }
}
