import { once } from 'node:events'
import { WebSocket } from 'ws'
import {
  type Clock,
  type Random,
  seconds,
  systemClock,
  systemRandom,
  withDeadline,
} from '../../../../platform/time/index.ts'
import { DEFAULT_PROJECT_ID, type Frame, type FrameRoute, type Json } from '../../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../../link/index.ts'
import { fragmentsOf, readAsGo, writeAsGo } from '../../../link/testing/index.ts'
import { MetaTable } from './meta-table.ts'

export interface OriginalEdgeOptions {
  readonly port: number
  readonly node: string
  /** PEM. */
  readonly ca: string
  readonly identity?: { readonly cert: string; readonly key: string }
  /** Of its keepalives; default: that of the machine. */
  readonly clock?: Clock
  readonly random?: Random
  readonly path?: string
  /** Instead of those of edgecore. */
  readonly headers?: Readonly<Record<string, string>>
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2'
  /** Disk of an earlier connection. */
  readonly meta?: MetaTable
}

/** What edgecore's receive queue holds; it drops the oldest beyond. */
const FIFO_SIZE = 100
const HEARTBEAT = seconds(15)
/** Of the tests, on the clock of the machine. */
const PATIENCE = seconds(20)

/**
 * The hub's half of an original edgecore: dials as it does, keeps a queue of 100 messages, routes by group, stores before it
 * acknowledges, and acknowledges the answers that MetaManager asked for. It knows nothing of Skerry, and refuses to read what
 * KubeEdge would not have written.
 */
export class OriginalEdge {
  readonly node: string
  readonly meta: MetaTable
  /** Messages of the cloud as the edge took them out of its queue. */
  readonly heard: Frame[] = []
  /** The same as they came from the socket, those included that the queue dropped. */
  readonly arrived: Frame[] = []
  /** What the other end wrote that no KubeEdge end writes. */
  readonly strange: string[] = []
  overflowed = 0
  readonly socket: WebSocket
  /** Settles with the reason when the connection is over. */
  readonly closed: Promise<string>
  readonly #frames: FrameFactory
  readonly #clock: Clock
  readonly #fifo: Frame[] = []
  readonly #waiting = new Map<string, (answer: Frame) => void>()
  readonly #watchers = new Set<() => void>()
  #keepalive: Disposable | undefined
  #isHeld = false
  #isDraining = false
  #isLive = true

  private constructor(socket: WebSocket, options: OriginalEdgeOptions) {
    const { clock = systemClock, random = systemRandom, meta = new MetaTable(), node } = options
    this.node = node
    this.meta = meta
    this.socket = socket
    this.#clock = clock
    this.#frames = createFrameFactory({ clock, random })
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#isLive = false
        this.#keepalive?.[Symbol.dispose]()
        resolve(`${code} ${reason}`)
        this.#wake()
      })
    })
    socket.on('message', (data, isBinary) => this.#arrive(String(data), isBinary))
  }

  /** Answers why it was not let in: `tls`, or the HTTP status. */
  static async dial(options: OriginalEdgeOptions): Promise<OriginalEdge | string> {
    const { port, node, ca, identity, path = `/${DEFAULT_PROJECT_ID}/${node}/events`, maxVersion } = options
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
      ca,
      ...identity,
      ...(maxVersion ? { maxVersion, minVersion: maxVersion } : {}),
      perMessageDeflate: false,
      headers: options.headers ?? { Node_id: node, Project_id: DEFAULT_PROJECT_ID, Connectionuse: 'msg' },
    })
    const edge = new OriginalEdge(socket, options)
    return new Promise((resolve) => {
      socket.once('open', () => {
        edge.#keepAlive()
        resolve(edge)
      })
      socket.once('unexpected-response', (_request, response) => {
        resolve(String(response.statusCode))
        response.destroy()
      })
      socket.on('error', () => resolve('tls'))
    })
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** Sends without waiting for anything. */
  say(route: FrameRoute, content: Json = null): Frame {
    const frame = this.#frames.make(route, content)
    this.#write(frame)
    return frame
  }

  /** Of edged, through MetaManager: the answer is cached as it came, and acknowledged by its own id. */
  async ask(operation: string, resource: string, content: Json = null): Promise<Frame> {
    const answer = await this.#request({ source: 'edged', group: 'meta', operation, resource }, content)
    this.meta.cache(answer)
    this.#write(this.#frames.reply(answer, 'OK'))
    return answer
  }

  /** Of the kubelet itself, as its patches: the answer is not acknowledged. */
  async patch(resource: string, patch: object): Promise<Frame> {
    const route = { source: 'edged', group: 'meta', operation: 'patch', resource }
    return this.#request(route, JSON.stringify(patch))
  }

  /** The application takes nothing out of its queue any more. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#drain()
  }

  /** A ping and its pong: everything said before has been heard at the other end. */
  async roundTrip(): Promise<void> {
    const pong = once(this.socket, 'pong')
    this.socket.ping()
    await pong
  }

  /** From now on as an edge whose keeper hangs. */
  stopKeepalives(): void {
    this.#keepalive?.[Symbol.dispose]()
  }

  acknowledge(frame: Frame): void {
    this.#write(this.#frames.reply(frame, 'OK'))
  }

  /** The first message taken that fits, also an earlier one. */
  async hears(fits: (frame: Frame) => boolean, what = 'the message'): Promise<Frame> {
    return this.until(() => this.heard.find(fits), what)
  }

  /** What `read` finds, looked for after each message that was taken. */
  async until<T>(read: () => T | undefined, what = 'it'): Promise<T> {
    return withDeadline(systemClock, PATIENCE, undefined, async () => {
      for (;;) {
        const found = read()
        if (found !== undefined) return found
        if (!this.#isLive)
          throw new Error(`the connection ended before ${what} came; heard ${this.summary().join(', ')}`)
        await new Promise<void>((resolve) => this.#watchers.add(resolve))
      }
    })
  }

  /** Objects that came down, in wire order: what wants a receipt. */
  get objects(): readonly Frame[] {
    return this.arrived.filter(({ header, route }) => route.group === 'resource' && header.parent_msg_id === undefined)
  }

  summary(): readonly string[] {
    return this.heard.map(({ route }) => `${route.operation} ${route.resource}`)
  }

  /** Cut, as a cable is. */
  async cut(): Promise<void> {
    if (!this.#isLive) return
    const closed = once(this.socket, 'close')
    this.socket.terminate()
    await closed
  }

  #request(route: FrameRoute, content: Json): Promise<Frame> {
    const frame = this.#frames.make(route, content)
    const { promise, resolve, reject } = Promise.withResolvers<Frame>()
    this.#waiting.set(frame.header.msg_id, resolve)
    void this.closed.then((reason) => reject(new Error(`the connection ended: ${reason}`)))
    this.#write(frame)
    return withDeadline(systemClock, PATIENCE, undefined, () => promise)
  }

  #write(frame: Frame): void {
    const parts = fragmentsOf(writeAsGo(frame))
    for (const [at, part] of parts.entries()) {
      // A connection that is gone takes nothing; edgecore drops the message, too.
      this.socket.send(part, { binary: false, fin: at === parts.length - 1 }, () => undefined)
    }
  }

  #keepAlive(): void {
    if (!this.#isLive) return
    this.say({ source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }, 'ping')
    this.#keepalive = this.#clock.after(HEARTBEAT, () => this.#keepAlive())
  }

  #arrive(text: string, isBinary: boolean): void {
    try {
      if (isBinary) throw new Error('a binary message')
      const frame = readAsGo(text)
      if (frame.route.resource?.startsWith('node/')) throw new Error(`a resource with its node: ${text.slice(0, 500)}`)
      this.arrived.push(frame)
      this.#fifo.push(frame)
    } catch (error) {
      this.strange.push(String(error))
    }
    if (this.#fifo.length > FIFO_SIZE) {
      this.#fifo.shift()
      this.overflowed++
    }
    this.#drain()
  }

  /** One message in each turn: what comes faster waits in the queue. */
  #drain(): void {
    if (this.#isDraining || this.#isHeld) return
    const frame = this.#fifo.shift()
    if (!frame) return
    this.#isDraining = true
    setImmediate(() => {
      this.#isDraining = false
      this.#take(frame)
      this.#wake()
      this.#drain()
    })
  }

  /** As EdgeHub routes: by group, and by whether it is an answer. A late answer is discarded without a receipt. */
  #take(frame: Frame): void {
    this.heard.push(frame)
    const { group } = frame.route
    const parent = frame.header.parent_msg_id
    if (group === 'resource' || group === 'func') {
      if (parent !== undefined) this.#answered(parent, frame)
      else this.#store(frame)
    } else if (group === 'user' && parent !== undefined) {
      this.#answered(parent, frame)
    }
  }

  #answered(parent: string, frame: Frame): void {
    this.#waiting.get(parent)?.(frame)
    this.#waiting.delete(parent)
  }

  #store(frame: Frame): void {
    const said = this.meta.take(frame)
    if (said) this.#write(this.#frames.reply(frame, said.content, said.route))
  }

  #wake(): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const wake of watchers) wake()
  }
}
