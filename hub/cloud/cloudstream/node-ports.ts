import { createServer, type Server, type Socket } from 'node:net'
import { listen } from '../../../platform/http/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface NodePortsOptions {
  readonly host: string
  /** Absent: any that is free. */
  readonly range?: PortRange
  /** Takes the connections of all ports. */
  readonly onConnection: (socket: Socket) => void
}

interface OpenPort {
  readonly server: Server
  readonly port: number
  readonly sockets: Set<Socket>
}

/** Ports that nodes had, for when they come back. */
const MOST_REMEMBERED = 10_000
const BACKLOG = 128

/**
 * A port of its own for each node. With a port all its connections end: one that lived on would lead to whichever node has the port
 * next.
 */
export class NodePorts {
  readonly #options: NodePortsOptions
  readonly #open = new Map<string, OpenPort>()
  readonly #byPort = new Map<number, string>()
  readonly #opening = new Map<string, Promise<number>>()
  readonly #remembered = new Map<string, number>()
  /** Where the search in the range goes on. */
  #next = 0

  constructor(options: NodePortsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  nodeOf(port: number | undefined): string | undefined {
    return port === undefined ? undefined : this.#byPort.get(port)
  }

  portOf(node: string): number | undefined {
    return this.#open.get(node)?.port
  }

  /** The port of the node, opened where it is not; the one that it had before, if that is free. */
  async open(node: string): Promise<number> {
    const present = this.#open.get(node)
    if (present) return present.port
    const opening = this.#opening.get(node) ?? this.#begin(node).finally(() => this.#opening.delete(node))
    this.#opening.set(node, opening)
    return await opening
  }

  close(node: string): void {
    const found = this.#open.get(node)
    if (!found) return
    this.#open.delete(node)
    this.#byPort.delete(found.port)
    found.server.close()
    for (const socket of found.sockets) socket.destroy()
  }

  closeAll(): void {
    for (const node of [...this.#open.keys()]) this.close(node)
  }

  async #begin(node: string): Promise<number> {
    for (const port of this.#candidates(node)) {
      if (this.#byPort.has(port)) continue
      const opened = await this.#tryListen(port)
      if (!opened) continue
      this.#open.set(node, opened)
      this.#byPort.set(opened.port, node)
      this.#remember(node, opened.port)
      return opened.port
    }
    const { range, host } = this.#options
    throw new RefusedError('Each port that nodes may have is taken: widen cloudstream.kubelets.nodePorts', {
      code: 'HUB_STREAM_PORTS_TAKEN',
      fields: { node, host, ...range },
    })
  }

  *#candidates(node: string): Generator<number> {
    const { range } = this.#options
    const before = this.#remembered.get(node)
    if (before !== undefined && (!range || (range.first <= before && before <= range.last))) yield before
    if (!range) {
      yield 0
      return
    }
    const count = range.last - range.first + 1
    for (let step = 0; step < count; step++) yield range.first + (this.#next++ % count)
  }

  async #tryListen(wanted: number): Promise<OpenPort | undefined> {
    const { host, onConnection } = this.#options
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      onConnection(socket)
    })
    const at = { host, port: wanted, backlog: BACKLOG }
    try {
      await listen(server, at)
    } catch (error) {
      if (error instanceof RefusedError) return undefined
      throw error
    }
    server.on('error', () => undefined)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : wanted
    return { server, port, sockets }
  }

  #remember(node: string, port: number): void {
    this.#remembered.delete(node)
    this.#remembered.set(node, port)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }
}
