import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { ModbusMemory } from './modbus-memory.ts'
import { answerPdu } from './modbus-pdu.ts'

/**
 * A Modbus TCP server whose faults can be scripted. Own code because the server of the client library takes no port 0,
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
  /** Most connections at a time; more are closed at once. Default 64. */
  readonly mostConnections?: number
}

const HEADER = 7
/** Modbus messaging on TCP/IP V1.0b, 4.2: 260 bytes at most. */
const LONGEST = 260

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
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (data: Buffer) => {
      rest = this.#take(socket, rest.length === 0 ? data : Buffer.concat([rest, data]))
    })
  }

  /** Answers each whole frame of `bytes`; returns what is left. */
  #take(socket: Socket, bytes: Buffer): Buffer {
    let at = 0
    while (bytes.length - at >= HEADER + 1) {
      const length = bytes.readUInt16BE(at + 4)
      // Protocol identifier other than 0, or an impossible length: not Modbus, nothing to find the next frame by.
      if (bytes.readUInt16BE(at + 2) !== 0 || length < 2 || length > LONGEST - 6) {
        socket.destroy()
        return Buffer.alloc(0)
      }
      if (bytes.length - at < 6 + length) break
      this.#answer(socket, bytes.subarray(at, at + 6 + length))
      at += 6 + length
    }
    return bytes.subarray(at)
  }

  #answer(socket: Socket, frame: Buffer): void {
    this.requests++
    if (this.#silent) return
    const unitId = frame.readUInt8(6)
    const pdu = answerPdu(frame.subarray(HEADER), unitId, this.#options.memory)
    const header = Buffer.alloc(HEADER)
    frame.copy(header, 0, 0, 4)
    header.writeUInt16BE(pdu.length + 1, 4)
    header.writeUInt8(unitId, 6)
    socket.write(Buffer.concat([header, pdu]))
  }
}
