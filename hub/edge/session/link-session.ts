import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory, Link } from '../../link/index.ts'
import type { MetaManager } from '../meta/meta-manager.ts'
import { ORIGINAL_RATE, Pacer } from './pacer.ts'
import { RequestTable } from './request-table.ts'

export interface LinkSessionPorts {
  readonly meta: MetaManager
  /** Takes what the cloud says of twins; never rejects. */
  readonly takeTwin: (frame: Frame, signal: AbortSignal) => Promise<void>
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

const KEEPALIVE_EVERY = seconds(15)
const REQUEST_DEADLINE = seconds(20)
/** Frames of the cloud that may wait for the disk; beyond that the socket is not read. */
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

  /** Aborts when the link is gone. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Until the link is gone; answers why. */
  async run(): Promise<string> {
    const keepingAlive = this.#keepAlive()
    for await (const frame of this.#link.frames) await this.#receive(frame)
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

  async ask(frame: Frame): Promise<Frame> {
    return this.#requests.ask(frame, (each) => this.send(each), REQUEST_DEADLINE, this.ended)
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
    this.#ended.abort(new Error(reason))
    this.#pacer?.[Symbol.dispose]()
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
      if (this.#requests.answer(frame)) return
      this.#ignored('late-answer')
      log.debug('An answer came that nobody waits for', { resource, operation })
    } else if (group === GROUPS.resource || group === 'func') {
      await this.#room()
      this.#occupy(this.#apply(frame))
    } else if (group === GROUPS.twin) {
      await this.#room()
      this.#occupy(this.#ports.takeTwin(frame, this.ended))
    } else {
      this.#ignored('unknown-group')
      log.warn('A message of the cloud has a group that nothing here serves', { group, resource, operation })
    }
  }

  /** Counts work for a frame until it settles. */
  #occupy(work: Promise<void>): void {
    this.#applying++
    void work.finally(() => {
      this.#applying--
      this.#onRoom?.()
    })
  }

  async #apply(frame: Frame): Promise<void> {
    try {
      const reply = await this.#ports.meta.receive(frame)
      if (!this.ended.aborted) await this.send(reply)
    } catch (error) {
      // Without a receipt the cloud sends it again.
      if (!this.ended.aborted) this.close(describeError(error))
    }
  }

  async #room(): Promise<void> {
    while (this.#applying >= MOST_APPLYING) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve
      })
    }
  }
}
