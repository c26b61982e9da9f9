import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, seconds } from '../../../platform/time/index.ts'
import { APPLICATION_GROUP, type Frame, GROUPS, MODULES, OPERATIONS, parseResource } from '../../../schemas/index.ts'
import type { FrameFactory, Link } from '../../link/index.ts'
import type { MetaManager } from '../meta/meta-manager.ts'
import type { FrameOrigin } from '../road.ts'
import { ORIGINAL_RATE, Pacer } from './pacer.ts'
import { RequestTable } from './request-table.ts'

export interface LinkSessionPorts {
  readonly meta: MetaManager
  /** Takes what the cloud says of twins; never rejects. */
  readonly takeTwin: (frame: Frame, signal: AbortSignal) => Promise<void>
  /** Takes what the cloud says to MQTT clients; a reply where it waits for one. Never rejects. */
  readonly takeUser: (frame: Frame, origin: FrameOrigin) => Promise<Frame | undefined>
  /** The same for what it says to local services, which may take long. */
  readonly takeCall?: (frame: Frame, origin: FrameOrigin) => Promise<Frame | undefined>
  /** Takes events of a watch; the receipt. Never rejects. */
  readonly takeApplication?: (frame: Frame) => Promise<Frame>
  /** Told of each object of the cloud that is on disk now. */
  readonly onApplied?: (frame: Frame) => void
  /** Told of each answer and receipt of the cloud. */
  readonly onReceipt?: () => void
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

const KEEPALIVE_EVERY = seconds(15)
const REQUEST_DEADLINE = seconds(20)
/** Kinds whose answers an original cloud sends until they are acknowledged. */
const SENT_AGAIN: ReadonlySet<string> = new Set([
  'configmap',
  'secret',
  'persistentvolume',
  'persistentvolumeclaim',
  'volumeattachment',
])
/** Frames of the cloud that may be at work at a time; beyond that the socket is not read. */
const MOST_APPLYING = 128

/** One link to the cloud while it lasts: keepalives, requests and their answers, and what the cloud sends. */
export class LinkSession {
  readonly isSkerry: boolean
  readonly #ports: LinkSessionPorts
  readonly #link: Link
  readonly #requests: RequestTable
  readonly #pacer: Pacer | undefined
  readonly #ended = new AbortController()
  readonly #ignored: (cause: string) => void
  #applying = 0
  #onRoom: (() => void) | undefined

  constructor(ports: LinkSessionPorts, link: Link) {
    this.#ports = ports
    this.#link = link
    this.isSkerry = link.isSkerry
    this.#requests = new RequestTable(ports.clock)
    // Only towards original peers: Skerry's cloud says with its receipts how much it takes.
    this.#pacer = link.isSkerry ? undefined : new Pacer(ports.clock, ORIGINAL_RATE)
    const ignored = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_ignored_total',
      help: 'Messages of the cloud that nothing here serves, by cause.',
      labels: ['cause'],
    })
    this.#ignored = (cause) => ignored.add(1, { cause })
    void link.closed.then((reason) => this.#end(reason))
  }

  /** Messages that wait for their answer. */
  get requests(): number {
    return this.#requests.size
  }

  /** Aborts when the link is gone. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  get #origin(): FrameOrigin {
    return { isSkerry: this.isSkerry, signal: this.ended }
  }

  /** Until the link is gone; answers why. */
  async run(): Promise<string> {
    const keepingAlive = this.#keepAlive()
    for await (const frame of this.#link.frames) {
      // What a dead link still had is not taken after the word of the next one: the cloud sends it again.
      if (this.ended.aborted) break
      await this.#receive(frame)
    }
    const reason = await this.#link.closed
    this.#end(reason)
    await keepingAlive
    return reason
  }

  close(reason: string): void {
    this.#link.close(reason)
  }

  async send(frame: Frame): Promise<void> {
    await this.#pacer?.take('urgent')
    await this.#link.send(frame)
  }

  async ask(frame: Frame, within: Duration = REQUEST_DEADLINE): Promise<Frame> {
    return this.#requests.ask(frame, (each) => this.send(each), within, this.ended)
  }

  /** A report: goes after everything else, and settles with its receipt. */
  async confirm(frame: Frame): Promise<void> {
    await this.#pacer?.take('normal')
    await this.#requests.ask(frame, (each) => this.#link.send(each), REQUEST_DEADLINE, this.ended)
  }

  /** What an original cloud gives no receipt for: then it settles when the socket has taken it. */
  async deliver(frame: Frame): Promise<void> {
    if (this.isSkerry) return this.confirm(frame)
    await this.#pacer?.take('normal')
    await this.#link.send(frame)
  }

  #end(reason: string): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort(
      new UnavailableError(`the link to the cloud ended: ${reason}`, { code: 'HUB_LINK_ENDED', fields: { reason } }),
    )
    this.#pacer?.[Symbol.dispose]()
    this.#onRoom?.()
  }

  /** Never paced: a keepalive that waits behind data ends the session at the cloud. */
  async #keepAlive(): Promise<void> {
    const { frames, clock } = this.#ports
    const route = { source: MODULES.edgeHub, group: GROUPS.resource, operation: OPERATIONS.keepalive, resource: 'node' }
    while (!this.ended.aborted) {
      await this.#link.send(frames.make(route, 'ping')).catch((error: unknown) => this.close(describeError(error)))
      await clock.sleep(KEEPALIVE_EVERY, this.ended).catch(() => undefined)
    }
  }

  /** By group, as KubeEdge's EdgeHub routes; an unknown group is logged and the connection kept. */
  async #receive(frame: Frame): Promise<void> {
    const { log } = this.#ports
    const { group = '', operation, resource } = frame.route
    if (frame.header.parent_msg_id !== undefined) {
      this.#ports.onReceipt?.()
      if (this.#requests.answer(frame)) return
      this.#ignored('late-answer')
      log.debug('An answer came that nobody waits for', { resource, operation })
      if (this.#isSentAgain(frame)) await this.#begin(() => this.#reply(this.#ports.frames.reply(frame, 'OK')))
    } else if (group === GROUPS.resource || group === 'func') {
      await this.#begin(() => this.#apply(frame))
    } else if (group === GROUPS.twin) {
      await this.#begin(() => this.#ports.takeTwin(frame, this.ended))
    } else if (group === APPLICATION_GROUP && this.#ports.takeApplication) {
      const receipt = this.#ports.takeApplication(frame)
      await this.#begin(() => receipt.then((reply) => this.#reply(reply)))
    } else if (group === GROUPS.user && frame.route.source === MODULES.routerServiceBus) {
      // A service may take its time; the objects of the cloud must not wait for it.
      void this.#ports.takeCall?.(frame, this.#origin).then((reply) => reply && this.#reply(reply))
    } else if (group === GROUPS.user) {
      await this.#begin(() => this.#ports.takeUser(frame, this.#origin).then((reply) => reply && this.#reply(reply)))
    } else {
      this.#ignored('unknown-group')
      log.warn('A message of the cloud has a group that nothing here serves', { group, resource, operation })
    }
  }

  /** An original cloud waits for a receipt of such an answer, and holds up all others for it. */
  #isSentAgain({ route }: Frame): boolean {
    const isAnswer = route.operation === OPERATIONS.response && route.group === GROUPS.resource
    return !this.isSkerry && isAnswer && SENT_AGAIN.has(parseResource(route.resource)?.type ?? '')
  }

  /** Begins work for a frame as soon as there is room; not at all where the link ends before. */
  async #begin(work: () => Promise<unknown>): Promise<void> {
    while (this.#applying >= MOST_APPLYING && !this.ended.aborted) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve
      })
    }
    if (this.ended.aborted) return
    this.#applying++
    void work().finally(() => {
      this.#applying--
      this.#onRoom?.()
    })
  }

  async #apply(frame: Frame): Promise<void> {
    try {
      const reply = await this.#ports.meta.receive(frame, { isSkerry: this.isSkerry })
      if (reply.route.operation === OPERATIONS.response) this.#ports.onApplied?.(frame)
      await this.#reply(reply)
    } catch (error) {
      // Without a receipt the cloud sends it again.
      if (!this.ended.aborted) this.close(describeError(error))
    }
  }

  async #reply(frame: Frame): Promise<void> {
    if (this.ended.aborted) return
    await this.send(frame).catch((error: unknown) => this.close(describeError(error)))
  }
}
