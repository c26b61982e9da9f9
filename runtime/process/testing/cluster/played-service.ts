import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A port that leads to others in turns, as a Service of a cluster leads to its pods. */
export class PlayedService implements AsyncDisposable {
  readonly #server: Server
  readonly #targets: () => readonly number[]
  readonly #sockets = new Set<Socket>()
  #turn = 0
  #isOpen = true

  private constructor(targets: () => readonly number[]) {
    this.#targets = targets
    this.#server = createServer((socket) => this.#lead(socket))
  }

  static async open(targets: () => readonly number[]): Promise<PlayedService> {
    const service = new PlayedService(targets)
    service.#server.listen(0, '127.0.0.1')
    await once(service.#server, 'listening')
    return service
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Closed, it drops what goes through it and whoever comes. */
  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen
    if (isOpen) return
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.isOpen = false
    await closed
  }

  #lead(from: Socket): void {
    const targets = this.#isOpen ? this.#targets() : []
    const port = targets[this.#turn++ % targets.length]
    this.#keep(from)
    if (port === undefined) return void from.destroy()
    const to = connect(port, '127.0.0.1')
    this.#keep(to)
    from.pipe(to).pipe(from)
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const)
      one.on('close', () => other.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
