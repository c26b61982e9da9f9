import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { PropertyValue } from '../../../schemas/index.ts'
import type { ConformanceServer } from '../subject.ts'

/** Of `line-mapper.ts`: one JSON object a line over TCP, several units behind one port. */
interface Request {
  readonly seq: number
  readonly unit: number
  readonly get?: readonly string[]
  readonly set?: Readonly<Record<string, PropertyValue>>
  readonly watch?: readonly string[]
}

/** No more names in one request. */
const MOST_NAMES = 100

export class LineServer implements ConformanceServer {
  readonly #sockets = new Map<Socket, { unit: number; names: readonly string[]; seq: number }[]>()
  readonly #server = createServer({ noDelay: true }, (socket) => this.#welcome(socket))
  readonly #units = new Map([1, 2].map((unit) => [unit, valuesOf(unit)]))
  #held: (() => void)[] = []
  #fault: { readonly kind: 'silence' | 'hold' | 'garble'; readonly unit?: number } | undefined
  requests = 0

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : this.#lastPort
  }
  #lastPort = 0

  get connections(): number {
    return this.#sockets.size
  }

  silence(): void {
    this.#fault = { kind: 'silence' }
  }

  hold(): void {
    this.#fault = { kind: 'hold' }
  }

  garble(): void {
    this.#fault = { kind: 'garble' }
  }

  silenceDevice(index: 0 | 1): void {
    this.#fault = { kind: 'silence', unit: index + 1 }
  }

  holdDevice(index: 0 | 1): void {
    this.#fault = { kind: 'hold', unit: index + 1 }
  }

  async resume(): Promise<void> {
    this.#fault = undefined
    for (const answer of this.#held) answer()
    this.#held = []
  }

  drop(): void {
    // Both ways in which a link ends: reset in the middle of something, and closed.
    for (const socket of this.#sockets.keys()) {
      if (this.#fault) socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** As the device itself does: watchers are told. */
  change(unit: number, name: string, value: PropertyValue): void {
    this.#units.get(unit)?.set(name, value)
    for (const [socket, watches] of this.#sockets) {
      for (const watch of watches) {
        if (watch.unit === unit && watch.names.includes(name))
          send(socket, { push: watch.seq, values: { [name]: value } })
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    this.#lastPort = this.port
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.drop()
    await closed
  }

  #welcome(socket: Socket): void {
    this.#sockets.set(socket, [])
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    let rest = ''
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#take(socket, parse(line))
    })
  }

  #take(socket: Socket, request: Request): void {
    this.requests++
    const fault = this.#fault
    if (fault && (fault.unit === undefined || fault.unit === request.unit)) {
      if (fault.kind === 'garble') socket.write('{"seq":]\n')
      if (fault.kind === 'hold') this.#held.push(() => this.#answer(socket, request))
      return
    }
    this.#answer(socket, request)
  }

  #answer(socket: Socket, { seq, unit, get = [], set = {}, watch }: Request): void {
    const held = this.#units.get(unit)
    if (!held || get.length > MOST_NAMES) {
      send(socket, { seq, refused: 'too many names, or no such unit' })
      return
    }
    const values: Record<string, PropertyValue> = {}
    const errors: Record<string, string> = {}
    for (const [name, value] of Object.entries(set)) {
      if (name === 'serial') errors[name] = 'read-only'
      else held.set(name, value)
    }
    for (const name of get) {
      const value = held.get(name)
      if (value === undefined) errors[name] = 'no such value'
      else values[name] = value
    }
    if (watch) this.#sockets.get(socket)?.push({ unit, names: watch, seq })
    send(socket, { seq, values, errors })
  }
}

function valuesOf(unit: number): Map<string, PropertyValue> {
  return new Map<string, PropertyValue>([
    ['serial', `unit-${unit}`],
    ['speed', 1000 + unit],
    ['temperature', 20.5 + unit],
    ['running', unit === 1],
    ['target', 100 * unit],
    ...Array.from({ length: 1000 }, (_, index) => [`m${index}`, index] as const),
  ])
}

function send(socket: Socket, message: object): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`)
}

function parse(line: string): Request {
  return JSON.parse(line)
}
