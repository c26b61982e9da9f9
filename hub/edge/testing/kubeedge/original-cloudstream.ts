import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Authority } from '../../../../platform/certificates/issuing/index.ts'
import { testIdentity } from '../../../../platform/certificates/testing/index.ts'

/** One request of the Kubernetes API, as cloudcore has it. */
export interface ApiServerConnection {
  readonly id: number
  readonly received: Buffer
  /** The edge says that it is over. */
  readonly isRemoved: boolean
}

/**
 * The cloudstream of an original cloudcore: it believes the header of the edge, sends connect frames as Go writes them, and takes
 * text messages alone. It notes whatever no original edge would send.
 */
export class OriginalCloudStream {
  readonly port: number
  readonly dialled: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = []
  readonly strange: string[] = []
  pings = 0
  #socket: WebSocket | undefined
  #nextId = 0
  readonly #connections = new Map<number, { received: Buffer; isRemoved: boolean }>()

  private constructor(port: number) {
    this.port = port
  }

  /** `authority` is that of nodes and of this server. */
  static async start(t: TestContext, authority: Authority): Promise<OriginalCloudStream> {
    const identity = await testIdentity(authority, { commonName: 'KubeEdge' }, ['serverAuth'])
    const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
    const upgrades = new WebSocketServer({ server, perMessageDeflate: false, skipUTF8Validation: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const at = server.address()
    if (at === null || typeof at === 'string') throw new Error('the cloud does not listen')
    const cloud = new OriginalCloudStream(at.port)
    upgrades.on('connection', (socket, { url = '', headers }) => {
      cloud.dialled.push({ path: url, headers })
      cloud.#accept(socket)
    })
    t.after(() => {
      for (const socket of upgrades.clients) socket.terminate()
      upgrades.close()
      server.closeAllConnections()
      server.close()
    })
    return cloud
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  /** `type`: 0 logs, 1 exec, 2 metrics, 6 attach. `path` with its query. */
  connect(
    type: number,
    path: string,
    header: Readonly<Record<string, readonly string[]>> = {},
    method = 'POST',
  ): ApiServerConnection {
    const id = ++this.#nextId
    const [Path = '', RawQuery = ''] = path.split('?')
    const url = {
      ...{ Scheme: 'http', Opaque: '', User: null, Host: '127.0.0.1:10350', Path, RawPath: '', OmitHost: false },
      ...{ ForceQuery: false, RawQuery, Fragment: '', RawFragment: '' },
    }
    const value = { MessID: id, url, header, ...(type === 1 || type === 6 ? { method } : {}) }
    const connection = { received: Buffer.alloc(0), isRemoved: false }
    this.#connections.set(id, connection)
    this.frame(id, type, JSON.stringify(value))
    return Object.assign(connection, { id })
  }

  frame(id: number, type: number, data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    this.raw(Buffer.concat([Buffer.from([...leb(id), ...leb(type)]), bytes]))
  }

  raw(bytes: Uint8Array): void {
    this.#socket?.send(bytes, { binary: false })
  }

  cut(): void {
    this.#socket?.terminate()
  }

  #accept(socket: WebSocket): void {
    this.#socket = socket
    socket.on('ping', () => this.pings++)
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    socket.on('message', (data, isBinary) => {
      if (isBinary || !Buffer.isBuffer(data)) this.strange.push('a binary message')
      else this.#take(data)
    })
  }

  #take(message: Buffer): void {
    const [id = 0, type = 0] = message
    const connection = this.#connections.get(id)
    if (id > 127 || type > 127) this.strange.push('ids that this cloud never gave')
    if (message.length > 1024 * 1024) this.strange.push('more than 1 MiB')
    if (type === 3 && connection && !connection.isRemoved)
      connection.received = Buffer.concat([connection.received, message.subarray(2)])
    else if (type === 4 && connection) connection.isRemoved = true
    else if (type !== 4) this.strange.push(`a frame of type ${type}`)
  }
}

function leb(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))]
}
