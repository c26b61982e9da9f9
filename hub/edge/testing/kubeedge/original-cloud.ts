import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { fingerprint } from '../../../../platform/certificates/index.ts'
import type { Authority } from '../../../../platform/certificates/issuing/index.ts'
import { testAuthority, testIdentity } from '../../../../platform/certificates/testing/index.ts'
import { type Clock, seconds, systemClock, systemRandom, withDeadline } from '../../../../platform/time/index.ts'
import type { Frame, FrameRoute, Json, JsonObject } from '../../../../schemas/index.ts'
import { createFrameFactory } from '../../../link/index.ts'
import { fragmentsOf, readAsGo, writeAsGo } from '../../../link/testing/index.ts'
import { type CertificateEndpoint, startEndpoint } from '../certificate-endpoint.ts'
import { AckQueue } from './ack-queue.ts'
import { OriginalAnswers } from './original-answers.ts'

/** One connection of an edge, as the cloud had it. */
export interface Dialled {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly socket: WebSocket
}

const KEEPALIVE_TIMEOUT = seconds(30)
/** On a machine that does ten other things; nothing waits so long when all is well. */
const PATIENCE = seconds(60)

/**
 * The hub's half of an original cloudcore, for our edge to join and to dial: it believes the node's header, sends one
 * acknowledged object at a time, confirms twins and nothing of users, sends no pings, and never answers a connection that does
 * not say its use. It refuses to read what no KubeEdge edge would write.
 */
export class OriginalCloud {
  readonly answers = new OriginalAnswers()
  readonly dialled: Dialled[] = []
  /** All messages of all connections, in order. */
  readonly received: Frame[] = []
  readonly strange: string[] = []
  /** Versions that the node acknowledged, by uid: its ObjectSyncs. */
  readonly records = new Map<string, string>()
  /** Receipts that nothing waited for. */
  unknownReceipts = 0
  /** Twins get no confirmation, as when their write fails. */
  isConfirming = true
  readonly endpoint: CertificateEndpoint
  readonly authority: Authority
  readonly port: number
  readonly #clock: Clock
  readonly #frames
  readonly #secret: Buffer
  readonly #watchers = new Set<() => void>()
  #present: { readonly socket: WebSocket; readonly queue: AckQueue } | undefined

  private constructor(
    given: {
      readonly endpoint: CertificateEndpoint
      readonly authority: Authority
      readonly port: number
      secret: Buffer
    },
    clock: Clock,
  ) {
    this.endpoint = given.endpoint
    this.authority = given.authority
    this.port = given.port
    this.#secret = given.secret
    this.#clock = clock
    this.#frames = createFrameFactory({ clock, random: systemRandom })
  }

  static async start(t: TestContext, { clock = systemClock }: { readonly clock?: Clock } = {}): Promise<OriginalCloud> {
    const authority = await testAuthority()
    const endpoint = await startEndpoint(t, authority)
    const secret = randomBytes(32)
    const sign = endpoint.answer
    endpoint.answer = async (call) => {
      const isJoined = call.client !== undefined
      const isGood = isJoined || verifies(secret, String(call.headers['authorization'] ?? ''))
      return isGood ? sign(call) : { status: 401, body: 'Invalid authorization token' }
    }
    const identity = await testIdentity(authority, { commonName: 'KubeEdge' }, ['serverAuth'])
    const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
    const upgrades = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 0 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const at = server.address()
    if (at === null || typeof at === 'string') throw new Error('the cloud does not listen')
    const cloud = new OriginalCloud({ endpoint, authority, port: at.port, secret }, clock)
    upgrades.on('connection', (socket, request) => {
      cloud.#accept({ socket, path: request.url ?? '', headers: request.headers })
    })
    t.after(async () => {
      cloud.cut()
      for (const socket of upgrades.clients) socket.terminate()
      upgrades.close()
      server.closeAllConnections()
      server.close()
    })
    return cloud
  }

  /** Of four parts, for any node, as `keadm gettoken` prints it. */
  token(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.trunc(systemClock.now() / 1000) + 3600 })}`
    return `${fingerprint(this.authority.certificateDer)}.${text}.${signatureOf(this.#secret, text)}`
  }

  /** What joining needs, as a Skerry cloud gives it. */
  get joinable() {
    const port = Number(this.endpoint.address.split(':')[1])
    return {
      authority: { createToken: async () => this.token() },
      certificates: { port },
      cloudhub: { port: this.port },
    }
  }

  /** An object for the node, in the acknowledged class; a deletion has no version. */
  push(
    operation: 'insert' | 'update' | 'delete',
    resource: string,
    object: JsonObject,
    source = 'edgecontroller',
  ): Frame {
    const { uid = '', resourceVersion } = Object(object['metadata'])
    const version = operation === 'delete' ? undefined : String(resourceVersion)
    const frame = this.#frames.make({ source, group: 'resource', operation, resource }, object, version)
    if (operation === 'delete' || isNewer(version, this.records.get(String(uid))))
      this.#present?.queue.put(String(uid), frame)
    return frame
  }

  /** Once, whatever becomes of it. */
  tell(route: FrameRoute, content: Json, parent?: string): Frame {
    const made = this.#frames.make(route, content)
    const frame = parent === undefined ? made : { ...made, header: { ...made.header, parent_msg_id: parent } }
    this.#write(frame)
    return frame
  }

  raw(text: string): void {
    this.#present?.socket.send(text)
  }

  /** Objects that the present connection has not acknowledged. */
  get depth(): number {
    return this.#present?.queue.depth ?? 0
  }

  get isConnected(): boolean {
    return this.#present !== undefined
  }

  /** A ping and its pong: everything said before has been heard at the edge. */
  async roundTrip(): Promise<void> {
    const socket = this.#present?.socket
    if (!socket) return
    const done = new AbortController()
    const { signal } = done
    const pong = Promise.race([once(socket, 'pong', { signal }), once(socket, 'close', { signal })])
    socket.ping()
    await pong
    done.abort()
  }

  cut(): void {
    this.#present?.socket.terminate()
  }

  forget(): void {
    this.received.splice(0)
  }

  summary(): readonly string[] {
    return this.received.map(({ route }) => `${route.operation} ${route.resource}`)
  }

  /** What `read` finds, looked for after each message and each change of the connection. */
  async until<T>(read: () => T | undefined, what = 'it'): Promise<T> {
    return withDeadline(systemClock, PATIENCE, undefined, async () => {
      for (;;) {
        const found = read()
        if (found !== undefined) return found
        await new Promise<void>((resolve) => this.#watchers.add(resolve))
      }
    }).catch((cause: unknown) => {
      throw new Error(`${what} did not happen; heard ${this.summary().join(', ')}`, { cause })
    })
  }

  hears(fits: (frame: Frame) => boolean, what = 'the message'): Promise<Frame> {
    return this.until(() => this.received.find(fits), what)
  }

  #accept(dialled: Dialled): void {
    this.dialled.push(dialled)
    const { socket, headers } = dialled
    socket.on('error', () => undefined)
    if (headers['connectionuse'] !== 'msg') return
    this.#present?.socket.close()
    const onAcknowledged = (uid: string, frame: Frame) => {
      if (frame.route.operation === 'delete') this.records.delete(uid)
      else this.records.set(uid, frame.header.resourceversion ?? '')
    }
    const queue = new AckQueue(this.#clock, (frame) => this.#write(frame), onAcknowledged)
    const connection = { socket, queue }
    this.#present = connection
    let keepalive = this.#armed(socket)
    socket.on('message', (data, isBinary) => {
      const frame = this.#read(String(data), isBinary)
      if (frame?.route.operation === 'keepalive') {
        keepalive[Symbol.dispose]()
        keepalive = this.#armed(socket)
      }
      if (frame) this.#take(frame, queue)
      this.#wake()
    })
    socket.on('close', () => {
      keepalive[Symbol.dispose]()
      queue.close()
      if (this.#present === connection) this.#present = undefined
      this.#wake()
    })
    this.#wake()
  }

  #armed(socket: WebSocket): Disposable {
    return this.#clock.after(KEEPALIVE_TIMEOUT, () => socket.terminate())
  }

  #read(text: string, isBinary: boolean): Frame | undefined {
    try {
      if (isBinary) throw new Error('a binary message')
      const frame = readAsGo(text)
      this.received.push(frame)
      return frame
    } catch (error) {
      this.strange.push(String(error))
      return undefined
    }
  }

  /** In the order in which CloudHub looks at a message. */
  #take(frame: Frame, queue: AckQueue): void {
    const { operation, group, source, resource = '' } = frame.route
    if (operation === 'keepalive' || operation === 'error') return
    if (operation === 'response') {
      if (!queue.acknowledge(frame.header.parent_msg_id ?? '')) this.unknownReceipts++
    } else if (operation === 'upload' && group === 'user') {
      // To the router, which gives no receipt.
    } else if (resource === 'k8s/ca.crt') {
      this.tell({ source: 'cloudhub', group: 'resource', operation: 'response', resource }, 'PEM', frame.header.msg_id)
    } else if (source === 'twin') {
      if (this.isConfirming && resource.startsWith('device/')) this.#confirm(frame)
    } else {
      this.#answer(frame, queue)
    }
  }

  #confirm(frame: Frame): void {
    const route = { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' }
    this.tell(route, 'OK', frame.header.msg_id)
  }

  #answer(frame: Frame, queue: AckQueue): void {
    const answer = this.answers.answer(frame)
    if (!answer) return
    const { content, resourceVersion, isAcknowledged } = answer
    const made = this.#frames.reply(frame, content, this.answers.route)
    const header = { ...made.header, ...(resourceVersion === undefined ? {} : { resourceversion: resourceVersion }) }
    const said = { ...made, header }
    if (isAcknowledged) queue.put(String(Object(content)['metadata']?.uid), said)
    else this.#write(said)
  }

  #write(frame: Frame): void {
    const parts = fragmentsOf(writeAsGo(frame))
    for (const [at, part] of parts.entries()) {
      this.#present?.socket.send(part, { binary: false, fin: at === parts.length - 1 }, () => undefined)
    }
  }

  #wake(): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const wake of watchers) wake()
  }
}

function isNewer(version: string | undefined, known: string | undefined): boolean {
  return known === undefined || BigInt(version ?? 0) > BigInt(known)
}

function verifies(secret: Buffer, authorization: string): boolean {
  const [header = '', payload = '', signature = ''] = authorization.replace('Bearer ', '').split('.')
  return signature !== '' && signature === signatureOf(secret, `${header}.${payload}`)
}

function signatureOf(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url')
}
