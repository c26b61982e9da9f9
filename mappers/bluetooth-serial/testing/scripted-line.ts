import { once } from 'node:events'
import { mkdtemp, rm, symlink, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../platform/time/index.ts'
import { openPty, type Pty } from '../../simulators/index.ts'
import type { ConformanceServer } from '../../testing/index.ts'

/**
 * Two devices, 01 and 02, on one line of text. `01 R k` is answered with `01 k value`, `01 W k value` with `01 OK k`; what is not
 * there with `ERR`.
 */
export abstract class ScriptedLine implements ConformanceServer {
  readonly values = new Map<string, string>()
  requests = 0
  /** What arrived. */
  readonly heard: string[] = []
  #mode: 'answer' | 'silent' | 'hold' | 'garble' = 'answer'
  readonly #away = new Map<string, 'silent' | 'hold'>()
  #held: string[] = []
  #rest = ''

  abstract readonly connections: number
  abstract readonly path: string
  abstract send(text: string): void
  abstract drop(): void
  abstract [Symbol.asyncDispose](): Promise<void>

  silence(): void {
    this.#mode = 'silent'
  }
  hold(): void {
    this.#mode = 'hold'
  }
  garble(): void {
    this.#mode = 'garble'
  }
  silenceDevice(index: 0 | 1): void {
    this.#away.set(`0${index + 1}`, 'silent')
  }
  holdDevice(index: 0 | 1): void {
    this.#away.set(`0${index + 1}`, 'hold')
  }

  async resume(): Promise<void> {
    this.#mode = 'answer'
    this.#away.clear()
    for (const answer of this.#held.splice(0)) this.send(answer)
  }

  protected hear(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString()).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#request(line)
  }

  #request(line: string): void {
    this.requests++
    this.heard.push(line)
    const [address = '', verb, key = '', ...rest] = line.split(' ')
    const mode = this.#away.get(address) ?? this.#mode
    if (mode === 'silent') return
    const answer = `${this.#answer(address, verb, key, rest.join(' '))}\n`
    if (mode === 'hold') this.#held.push(answer)
    else this.send(mode === 'garble' ? '\u0000\u0001#!garbage\n' : answer)
  }

  #answer(address: string, verb: string | undefined, key: string, value: string): string {
    const name = `${address} ${key}`
    const there = this.values.get(name) ?? this.values.get(key)
    if (there === undefined || (verb === 'W' && key.startsWith('fixed'))) return `${address} ERR ${key}`
    if (verb === 'R') return `${name} ${there}`
    this.values.set(name, value)
    return `${address} OK ${key}`
  }
}

export class ScriptedTcpLine extends ScriptedLine {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  path = ''

  constructor() {
    super()
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('data', (bytes: Buffer) => this.hear(bytes))
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.path = `tcp://127.0.0.1:${address.port}`
    return this
  }

  get connections(): number {
    return this.#sockets.size
  }

  send(text: string): void {
    for (const socket of this.#sockets) socket.write(text)
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}

export class ScriptedPtyLine extends ScriptedLine {
  #folder = ''
  #pty: Pty | undefined
  #plugging: Promise<void> = Promise.resolve()

  async start(): Promise<this> {
    this.#folder = await mkdtemp(join(tmpdir(), 'skerry-line-'))
    await this.#plug()
    return this
  }

  get path(): string {
    return join(this.#folder, 'port')
  }

  get connections(): number {
    return this.#pty?.isOpen ? 1 : 0
  }

  send(text: string): void {
    this.#pty?.send(Buffer.from(text))
  }

  /** Pulled and plugged in again: the same path, another port. */
  drop(): void {
    this.#plugging = this.#unplug().then(() => this.#plug())
  }

  override async resume(): Promise<void> {
    await this.#plugging
    await super.resume()
  }

  /** Gone until `drop`. */
  async #unplug(): Promise<void> {
    await this.#pty?.close()
    this.#pty = undefined
    await unlink(this.path)
  }

  async #plug(): Promise<void> {
    this.#pty = await openPty({ clock: systemClock })
    this.#pty.listen((bytes) => this.hear(bytes))
    await symlink(this.#pty.path, this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugging
    await this.#pty?.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
