import { createServer, type Server } from 'node:net'
import { tcpFraming } from '../../mappers/simulators/modbus/modbus-frames.ts'
import { serveLink } from '../../mappers/simulators/modbus/modbus-link.ts'

/** Offsets of the holding registers of a probe. */
export const WANTED = 0
export const LEVEL = 1

/** A simulated device in this process, behind a TCP gateway of its own: knows when its registers were written and read. */
export class Probe implements AsyncDisposable {
  readonly name: string
  readonly port: number
  /** When the present level was read first; undefined until then. */
  readAt: number | undefined
  readonly #server: Server
  readonly #memory: Uint16Array
  #awaited: { readonly value: number; resolve(): void } | undefined

  private constructor(name: string, port: number, server: Server, memory: Uint16Array) {
    this.name = name
    this.port = port
    this.#server = server
    this.#memory = memory
  }

  static async open(name: string): Promise<Probe> {
    const registers = new Uint16Array(2)
    let probe: Probe | undefined
    const memory = {
      readBits: () => [],
      readRegisters: (_table: string, _unitId: number, start: number, length: number) => {
        if (probe && start <= LEVEL && start + length > LEVEL) probe.readAt ??= performance.now()
        return Array.from({ length }, (_, index) => registers[start + index] ?? 0)
      },
      writeCoils: () => undefined,
      writeRegisters: (_unitId: number, start: number, values: readonly number[]) => {
        for (const [index, value] of values.entries()) registers[start + index] = value
        probe?.written()
        return undefined
      },
    }
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      const send = (answer: Buffer) => void socket.write(answer)
      const onRequest = () => undefined
      socket.on('data', serveLink({ memory, framing: tcpFraming, onRequest, send, end: () => socket.destroy() }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    probe = new Probe(name, port, server, registers)
    return probe
  }

  /** Changes by itself, as devices do. */
  set level(value: number) {
    this.readAt = undefined
    this.#memory[LEVEL] = value
  }

  /** Settles when the register holds the value. */
  holds(value: number): Promise<void> {
    if (this.#memory[WANTED] === value) return Promise.resolve()
    return new Promise((resolve) => {
      this.#awaited = { value, resolve }
    })
  }

  written(): void {
    if (this.#awaited?.value === this.#memory[WANTED]) this.#awaited?.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
  }
}
