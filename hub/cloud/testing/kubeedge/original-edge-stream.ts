import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'

export interface OriginalEdgeStreamOptions {
  /** Of the tunnel server. */
  readonly port: number
  readonly node: string
  /** PEM. */
  readonly ca: string
  readonly identity?: { readonly cert: string; readonly key: string }
  /** Of the kubelet server that edgecore has on 10350. */
  readonly kubelet: number
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
}

/** What edgecore reads at a time. */
const CHUNK = 256

/**
 * The edgestream of an original edgecore: it serves connect frames from its kubelet server as that does, in pieces of 256 bytes, says
 * nothing at all where that cannot be asked, and writes `remove` when a connection is over. It notes whatever an original cloud would
 * not have sent.
 */
export class OriginalEdgeStream {
  readonly socket: WebSocket
  readonly strange: string[] = []
  /** Data of connect frames as they came, with their type. */
  readonly connects: { readonly type: number; readonly json: string }[] = []
  /** Ids that the cloud removed. */
  readonly removed: number[] = []
  /** Why the cloud closed the tunnel, in its close frame. */
  closeReason: string | undefined
  readonly closed: Promise<string>
  readonly #kubelet: number
  readonly #local = new Map<number, { write(data: Buffer): void; stop(): void }>()

  private constructor(socket: WebSocket, kubelet: number) {
    this.socket = socket
    this.#kubelet = kubelet
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve(`${code} ${reason}`)))
    socket.on('message', (data, isBinary) => {
      if (isBinary || !Buffer.isBuffer(data)) this.strange.push('a binary message')
      else this.#take(data)
    })
    socket.on('close', () => {
      for (const each of this.#local.values()) each.stop()
    })
  }

  /** Answers why it was not let in: `tls`, or the HTTP status. */
  static dial(options: OriginalEdgeStreamOptions): Promise<OriginalEdgeStream | string> {
    const { port, node, ca, identity, kubelet, path = '/v1/kubeedge/connect' } = options
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
      ca,
      ...identity,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      headers: options.headers ?? { SessionHostNameOverride: node, SessionInternalIP: '192.0.2.7' },
    })
    const edge = new OriginalEdgeStream(socket, kubelet)
    return new Promise((resolve) => {
      socket.once('open', () => resolve(edge))
      socket.once('upgrade', (response) => {
        const own = Object.keys(response.headers).filter((name) => name.startsWith('x-skerry'))
        edge.strange.push(...own)
      })
      socket.once('unexpected-response', (_request, response) => {
        resolve(String(response.statusCode))
        response.destroy()
      })
      socket.on('error', () => resolve('tls'))
    })
  }

  /** Its ping, and the pong for it. */
  async ping(): Promise<void> {
    const pong = once(this.socket, 'pong')
    this.socket.ping('ping you')
    await pong
  }

  /** A message as it is. */
  raw(bytes: Uint8Array, binary = false): void {
    this.socket.send(bytes, { binary })
  }

  cut(): void {
    this.socket.terminate()
  }

  #take(message: Buffer): void {
    const [id, afterId] = this.#number(message, 0)
    const [type, start] = this.#number(message, afterId)
    const data = message.subarray(start)
    if (data.length > 1024 * 1024) this.strange.push('more than 1 MiB')
    if ([0, 1, 2, 6].includes(type)) this.#connect(id, type, data.toString())
    else if (type === 3) this.#local.get(id)?.write(data)
    else if (type === 4) {
      this.removed.push(id)
      this.#local.get(id)?.stop()
    } else if (type === 5) this.closeReason = data.toString()
    else this.strange.push(`a frame of type ${type}`)
  }

  #connect(id: number, type: number, json: string): void {
    this.connects.push({ type, json })
    const { MessID, url, header, method = 'GET' } = JSON.parse(json)
    if (MessID !== id || url.Scheme !== 'http' || url.Host !== '127.0.0.1:10350')
      this.strange.push(`a connect frame ${json}`)
    const path = `${url.RawPath || url.Path}${url.RawQuery ? `?${url.RawQuery}` : ''}`
    if (type === 0 || type === 2) this.#get(id, path, header)
    else this.#dial(id, `${method} ${path} HTTP/1.1`, header)
  }

  #get(id: number, path: string, headers: Record<string, string[]>): void {
    const asked = request({ port: this.#kubelet, host: '127.0.0.1', path, headers, agent: false })
    this.#local.set(id, { write: () => undefined, stop: () => asked.destroy() })
    // As `Serve` of edgecore, which returns before it has arranged to say that it is over.
    asked.on('error', () => undefined)
    asked.on('response', (response) => {
      response.on('data', (data: Buffer) => this.#data(id, data))
      response.on('close', () => this.#remove(id))
    })
    asked.end()
  }

  #dial(id: number, line: string, headers: Record<string, string[]>): void {
    const socket: Socket = connect({ port: this.#kubelet, host: '127.0.0.1' })
    const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
    socket.write(`${[line, 'Host: 127.0.0.1:10350', 'User-Agent: Go-http-client/1.1', ...lines].join('\r\n')}\r\n\r\n`)
    this.#local.set(id, { write: (data) => void socket.write(data), stop: () => socket.destroy() })
    socket.on('error', () => undefined)
    socket.on('data', (data: Buffer) => this.#data(id, data))
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#remove(id))
  }

  #data(id: number, data: Buffer): void {
    for (let at = 0; at < data.length; at += CHUNK) this.#say(id, 3, data.subarray(at, at + CHUNK))
  }

  #remove(id: number): void {
    if (this.#local.delete(id)) this.#say(id, 4, Buffer.alloc(0))
  }

  #say(id: number, type: number, data: Buffer): void {
    if (this.socket.readyState !== WebSocket.OPEN) return
    const head: number[] = []
    for (const value of [id, type]) {
      let rest = value
      for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128)
      head.push(rest)
    }
    this.socket.send(Buffer.concat([Buffer.from(head), data]), { binary: false })
  }

  #number(bytes: Buffer, start: number): readonly [value: number, end: number] {
    let value = 0
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      value += (byte % 128) * 128 ** (at - start)
      if (byte < 128) return [value, at + 1]
    }
    this.strange.push('no uvarint')
    return [0, bytes.length]
  }
}
