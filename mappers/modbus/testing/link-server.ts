import { once } from 'node:events'
import { mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../platform/time/index.ts'
import { type ModbusFraming, rtuFraming, tcpFraming } from '../../simulators/modbus/modbus-frames.ts'
import { serveLink } from '../../simulators/modbus/modbus-link.ts'
import type { ModbusMemory } from '../../simulators/modbus/modbus-memory.ts'
import { openPty, type Pty } from '../../simulators/serial/pty.ts'
import type { ConformanceServer } from '../../testing/index.ts'

/** Where links come from and how they end. */
interface Transport {
  readonly framing: ModbusFraming
  readonly connections: number
  open(serve: (send: (bytes: Buffer) => void, end: () => void) => (bytes: Buffer) => void): Promise<void>
  drop(): Promise<void>
  close(): Promise<void>
}

type Fault = 'none' | 'silence' | 'hold' | 'garble'

/** A Modbus server of the units 1 and 2, with the faults of the conformance suite. */
export class LinkServer<T extends Transport> implements ConformanceServer {
  readonly transport: T
  readonly #memory: ModbusMemory
  #fault: Fault = 'none'
  /** The only unit with the fault; absent: all. */
  #unitId: number | undefined
  #held: (() => void)[] = []
  #dropping: Promise<void> | undefined
  requests = 0

  private constructor(transport: T, memory: ModbusMemory) {
    this.transport = transport
    this.#memory = memory
  }

  static async start<T extends Transport>(transport: T, memory: ModbusMemory): Promise<LinkServer<T>> {
    const server = new LinkServer(transport, memory)
    await transport.open((send, end) => server.#serve(send, end))
    return server
  }

  get connections(): number {
    return this.transport.connections
  }

  silence(): void {
    this.#fault = 'silence'
  }

  hold(): void {
    this.#fault = 'hold'
  }

  garble(): void {
    this.#fault = 'garble'
  }

  silenceDevice(index: 0 | 1): void {
    this.#unitId = index + 1
    this.silence()
  }

  holdDevice(index: 0 | 1): void {
    this.#unitId = index + 1
    this.hold()
  }

  drop(): void {
    this.#dropping = this.transport.drop()
  }

  async resume(): Promise<void> {
    await this.#dropping
    this.#fault = 'none'
    this.#unitId = undefined
    for (const send of this.#held.splice(0)) send()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dropping
    await this.transport.close()
  }

  #serve(send: (bytes: Buffer) => void, end: () => void): (bytes: Buffer) => void {
    const { framing } = this.transport
    return serveLink({
      memory: this.#memory,
      framing,
      onRequest: () => this.requests++,
      send: (answer) => this.#answer(answer, answer[framing === rtuFraming ? 0 : 6], send),
      end,
    })
  }

  #answer(answer: Buffer, unitId: number | undefined, send: (bytes: Buffer) => void): void {
    const fault = this.#unitId === undefined || this.#unitId === unitId ? this.#fault : 'none'
    if (fault === 'none') send(answer)
    if (fault === 'hold') this.#held.push(() => send(answer))
    if (fault === 'garble') send(Buffer.from([...answer].map((byte) => byte ^ 0x5a)))
  }
}

/** Modbus TCP, or RTU over TCP, on a free port. */
export class TcpTransport implements Transport {
  readonly framing: ModbusFraming
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  port = 0

  constructor(kind: 'tcp' | 'rtu') {
    this.framing = kind === 'rtu' ? rtuFraming : tcpFraming
  }

  get connections(): number {
    return this.#sockets.size
  }

  async open(serve: Parameters<Transport['open']>[0]): Promise<void> {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on(
        'data',
        serve(
          (bytes) => socket.write(bytes),
          () => socket.destroy(),
        ),
      )
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
  }

  async drop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    if (!this.#server?.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await this.drop()
    await closed
  }
}

/** RTU on a pseudo-terminal. Its path stays when the plug is pulled and put back. */
export class SerialTransport implements Transport {
  readonly framing = rtuFraming
  #serve: Parameters<Transport['open']>[0] | undefined
  #pty: Pty | undefined
  #folder = ''
  path = ''

  get connections(): number {
    return this.#pty?.isOpen ? 1 : 0
  }

  async open(serve: Parameters<Transport['open']>[0]): Promise<void> {
    this.#serve = serve
    this.#folder = await mkdtemp(join(tmpdir(), 'skerry-modbus-'))
    this.path = join(this.#folder, 'line')
    await this.#plug()
  }

  async drop(): Promise<void> {
    const before = this.#pty
    this.#pty = undefined
    await before?.close()
    await this.#plug()
  }

  async close(): Promise<void> {
    await this.#pty?.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #plug(): Promise<void> {
    const pty = await openPty({ clock: systemClock })
    pty.listen(
      this.#serve?.(
        (bytes) => pty.send(bytes),
        () => undefined,
      ) ?? (() => undefined),
    )
    await symlink(pty.path, `${this.path}.new`)
    await rename(`${this.path}.new`, this.path)
    this.#pty = pty
  }
}
