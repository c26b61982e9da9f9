import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { Fault } from '../faults/fault.ts'
import { FaultyAnswers } from '../faults/faulty-answers.ts'

export interface FaultProxyOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
}

/** Stands before an OPC UA server and does to its links what no server would do by itself. */
export class FaultProxy implements AsyncDisposable {
  readonly #options: FaultProxyOptions
  readonly #answers: FaultyAnswers
  readonly #links = new Set<Link>()
  #listener: Server | undefined
  #port = 0
  #target: { readonly host: string; readonly port: number } | undefined
  requests = 0

  constructor(options: FaultProxyOptions) {
    this.#options = options
    this.#answers = new FaultyAnswers(options.clock, options.random)
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#links.size
  }

  /** Rejects when the port is taken. */
  async start(): Promise<void> {
    await this.#listen(this.#options.port)
  }

  /** Where links lead to from now on. */
  leadTo(host: string, port: number): void {
    this.#target = { host, port }
  }

  /** Takes requests, and answers them when the next fault, or none, takes over. */
  hold(): void {
    for (const link of this.#links) link.hold()
  }

  async fault(fault: Fault | undefined): Promise<void> {
    for (const link of this.#links) link.release()
    const before = this.#answers.current
    this.#answers.current = fault
    if (fault?.kind === 'disconnect') await this.#stop()
    else if (!this.#listener) await this.#listen(this.#port)
    // A link with a hole in it is of no use to anybody.
    if (before?.kind === 'silence' && fault?.kind !== 'silence') {
      for (const link of this.#links) if (link.hasHole) link.end()
    }
  }

  /** Ends all links; new ones are welcome. */
  drop(): void {
    for (const link of this.#links) link.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }

  async #listen(port: number): Promise<void> {
    const listener = createServer({ noDelay: true }, (client) => this.#accept(client))
    listener.listen(port, this.#options.host)
    await once(listener, 'listening')
    this.#listener = listener
    const address = listener.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : port
  }

  async #stop(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    this.drop()
    if (!listener?.listening) return
    listener.close()
    await once(listener, 'close')
  }

  #accept(client: Socket): void {
    const target = this.#target
    if (!target) {
      client.destroy()
      return
    }
    const link = new Link(client, connect({ ...target, noDelay: true }), this.#answers, () => this.requests++)
    this.#links.add(link)
    client.once('close', () => {
      this.#links.delete(link)
      link.end()
    })
  }
}

/** `MSG`, chunk type, and the length of all: the header of every message. OPC UA part 6, 7.1.2. */
const HEADER = 8
const FINAL_MESSAGE = 'MSGF'

class Link {
  readonly #client: Socket
  readonly #server: Socket
  /** Bytes until the next header. */
  #left = 0
  #head = Buffer.alloc(0)
  #held: Buffer[] | undefined
  /** Something that was sent never arrived. */
  hasHole = false

  constructor(client: Socket, server: Socket, answers: FaultyAnswers, onRequest: () => void) {
    this.#client = client
    this.#server = server
    for (const socket of [client, server]) socket.on('error', () => this.end())
    server.once('close', () => this.end())
    client.on('data', (bytes) => {
      for (let count = this.#messagesIn(bytes); count > 0; count--) onRequest()
      if (answers.isMute) this.hasHole = true
      else server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (answers.isMute) this.hasHole = true
      if (this.#held) this.#held.push(bytes)
      else answers.send(bytes, (answer) => client.writable && client.write(answer))
    })
  }

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const bytes of held) this.#client.write(bytes)
  }

  end(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #messagesIn(bytes: Buffer): number {
    let count = 0
    let rest = bytes
    while (rest.length > 0) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, rest.length)
        this.#left -= taken
        rest = rest.subarray(taken)
        continue
      }
      const wanted = HEADER - this.#head.length
      this.#head = Buffer.concat([this.#head, rest.subarray(0, wanted)])
      rest = rest.subarray(wanted)
      if (this.#head.length < HEADER) break
      if (this.#head.toString('latin1', 0, 4) === FINAL_MESSAGE) count++
      this.#left = Math.max(0, this.#head.readUInt32LE(4) - HEADER)
      this.#head = Buffer.alloc(0)
    }
    return count
  }
}
