import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { FaultyAnswers } from '../faults/faulty-answers.ts'
import { type ModbusFraming, tcpFraming } from './modbus-frames.ts'
import { serveLink } from './modbus-link.ts'
import type { ModbusMemory } from './modbus-memory.ts'

/**
 * A Modbus server on TCP whose faults can be scripted. Own code because the server of the client library takes no port 0,
 * answers behind a timer of 1 ms, and cannot be told to stay silent, so neither tests nor measurements can rely on it.
 */
export interface ModbusServer extends AsyncDisposable {
  readonly port: number
  readonly connections: number
  /** Requests that arrived, answered or not. */
  readonly requests: number
  /** From now on requests are taken and never answered. */
  silence(): void
  /** Ends all connections and refuses new ones. */
  disconnect(): Promise<void>
  /** Ends all connections; new ones are welcome. */
  drop(): void
  /** Takes back silence and disconnect; listens on the same port again. */
  resume(): Promise<void>
  close(): Promise<void>
}

export interface ModbusServerOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly memory: ModbusMemory
  /** Default: Modbus TCP. With `rtuFraming` it is RTU over TCP. */
  readonly framing?: ModbusFraming
  /** What is wrong with its answers. */
  readonly answers?: FaultyAnswers
  /** Most connections at a time; more are closed at once. Default 64. */
  readonly mostConnections?: number
}

/** Listens; rejects when the port is taken. */
export async function startModbusServer(options: ModbusServerOptions): Promise<ModbusServer> {
  const server = new ScriptableServer(options)
  await server.listen(options.port)
  return server
}

class ScriptableServer implements ModbusServer {
  readonly #options: ModbusServerOptions
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #silent = false
  requests = 0

  constructor(options: ModbusServerOptions) {
    this.#options = options
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#sockets.size
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#welcome(socket))
    server.maxConnections = this.#options.mostConnections ?? 64
    server.listen(port, this.#options.host)
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
    this.#server = server
  }

  silence(): void {
    this.#silent = true
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async disconnect(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    this.drop()
    await closed
  }

  async resume(): Promise<void> {
    this.#silent = false
    if (!this.#server) await this.listen(this.#port)
  }

  close(): Promise<void> {
    return this.disconnect()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect()
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket)
    const take = serveLink({
      memory: this.#options.memory,
      framing: this.#options.framing ?? tcpFraming,
      onRequest: () => {
        this.requests++
      },
      send: (answer) => this.#send(socket, answer),
      end: () => socket.destroy(),
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', take)
  }

  #send(socket: Socket, answer: Buffer): void {
    if (this.#silent) return
    const write = (bytes: Uint8Array) => {
      if (!socket.destroyed) socket.write(bytes)
    }
    if (this.#options.answers) this.#options.answers.send(answer, write)
    else write(answer)
  }
}
