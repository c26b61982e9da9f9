import type { Clock } from '../../../platform/time/index.ts'
import type { FaultyAnswers } from '../faults/faulty-answers.ts'
import { openPty, type Pty } from '../serial/pty.ts'
import { linkPty } from '../serial/pty-link.ts'
import { rtuFraming } from './modbus-frames.ts'
import { serveLink } from './modbus-link.ts'
import type { ModbusMemory } from './modbus-memory.ts'

/** Units on a serial line, which is a pseudo-terminal. */
export interface LineServer {
  /** The serial port: the link where one was asked for. */
  readonly path: string
  /** 1 while somebody has the port open. */
  readonly connections: number
  readonly requests: number
  /** Pulls the plug: the port is gone until `resume`. */
  disconnect(): Promise<void>
  resume(): Promise<void>
}

export interface LineServerOptions {
  readonly clock: Clock
  readonly memory: ModbusMemory
  readonly answers: FaultyAnswers
  readonly path?: string | undefined
}

export async function startLineServer(options: LineServerOptions): Promise<LineServer> {
  const server = new PtyServer(options)
  await server.resume()
  return server
}

class PtyServer implements LineServer {
  readonly #options: LineServerOptions
  #pty: Pty | undefined
  #link: AsyncDisposable | undefined
  requests = 0

  constructor(options: LineServerOptions) {
    this.#options = options
  }

  get path(): string {
    return this.#options.path ?? this.#pty?.path ?? ''
  }

  get connections(): number {
    return this.#pty?.isOpen ? 1 : 0
  }

  async resume(): Promise<void> {
    if (this.#pty) return
    const { clock, memory, answers, path } = this.#options
    const pty = await openPty({ clock })
    this.#pty = pty
    try {
      if (path !== undefined) this.#link = await linkPty(path, pty.path)
    } catch (error) {
      await this.disconnect()
      throw error
    }
    const take = serveLink({
      memory,
      framing: rtuFraming,
      onRequest: () => {
        this.requests++
      },
      send: (answer) => answers.send(answer, (bytes) => void pty.send(bytes)),
      end: () => undefined,
    })
    pty.listen(take)
  }

  async disconnect(): Promise<void> {
    const [pty, link] = [this.#pty, this.#link]
    this.#pty = undefined
    this.#link = undefined
    await link?.[Symbol.asyncDispose]()
    await pty?.close()
  }
}
