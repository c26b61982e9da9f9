import { type Counter, type Histogram, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes, type Random } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, type KubeObject, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../link/index.ts'
import type { AnyObject, Informer, Kubernetes } from '../kubernetes/index.ts'
import type {
  AskOptions,
  CloudHub,
  HubSnapshot,
  NodePeer,
  NodeSource,
  Question,
  UpstreamHandler,
  UpstreamKind,
  UserMessageHandler,
} from './delivery.ts'
import { NodeSync } from './node-sync.ts'
import type { OutboxItem } from './outbox.ts'
import { Questions } from './questions.ts'
import { isRegistration, ResyncMarks } from './resync-marks.ts'
import { Session, type SessionLink } from './session.ts'
import { SessionClaims } from './session-claims.ts'
import type { SyncRecords } from './sync-records.ts'
import { isCloudSource, type UpstreamRoute, upstreamRoute } from './upstream.ts'
import { UserMessages } from './user-messages.ts'

export interface HubPorts {
  readonly records: SyncRecords
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** PEM of the CA of the Kubernetes API, for edges that ask for it. */
  readonly clusterCa?: string
  /** Identity of what the cloud remembers, once it is known. */
  readonly memory?: () => string
  /** Of the API; absent: nodes are not told apart by what their Nodes say, and records of nodes that are gone stay. */
  readonly kubernetes?: Kubernetes
  readonly nodes?: Informer<AnyObject>
  /** Leases of namespace `kubeedge`; absent: this is the only cloud half. */
  readonly sessionLeases?: Informer<AnyObject>
  /** `<address>:<port>` at which other replicas reach this one. */
  readonly replica?: () => string | undefined
}

/** An original edge hands an answer to whoever waits for it only in this group. */
const ANSWER_ROUTE = { source: MODULES.cloudHub, group: GROUPS.resource }
const NO_ROUTER = 'this cloud has no Router'
const NO_RELAY = 'this cloud relays no API requests of the edge'
/** How often records of nodes that are gone are looked for; a deletion that was seen has them removed at once. */
const COLLECT_EVERY = minutes(10)

interface Acknowledged {
  readonly item: OutboxItem
  /** See OutboxOptions.onAcknowledged. */
  readonly next: OutboxItem | undefined
}

const LONGEST_REASON = 500

/** Sessions of all nodes, apart from sockets: who is connected, what goes down, where what comes up goes. */
export class Hub implements CloudHub {
  readonly #ports: HubPorts
  readonly #frames: FrameFactory
  readonly #sessions = new Map<string, Session>()
  readonly #connections = new Set<(peer: NodePeer, connected: boolean) => void>()
  readonly #handlers = new Map<UpstreamKind, UpstreamHandler>()
  readonly #users: UserMessages
  readonly #questions: Questions
  readonly #syncs: NodeSync
  readonly #marks: ResyncMarks | undefined
  readonly #claims: SessionClaims | undefined
  readonly #dropped: Counter
  readonly #droppedBy = new Map<string, number>()
  readonly #expelled: Counter
  readonly #took: Histogram

  constructor(given: HubPorts) {
    // Most of its warnings are what a node can cause at will.
    const ports = { ...given, log: boundedLogger(given.log, given) }
    this.#ports = ports
    this.#frames = createFrameFactory(ports)
    const metrics = ports.metrics ?? silentMetrics
    this.#users = new UserMessages(this.#frames, ports.log, metrics)
    const onLate = () => this.#drop('late-answer')
    this.#questions = new Questions({ ...ports, frames: this.#frames, onLate })
    this.#dropped = metrics.counter({
      name: 'skerry_cloudhub_dropped_total',
      help: 'Frames that CloudHub dropped, by cause.',
      labels: ['cause'],
    })
    this.#expelled = metrics.counter({
      name: 'skerry_cloudhub_expelled_total',
      help: 'Connections that were closed because the node claimed what is another’s.',
    })
    this.#took = metrics.histogram({
      name: 'skerry_cloudhub_acknowledged_seconds',
      help: 'From the first send of an object until the node acknowledged it.',
    })
    const isReady = (session: Session) => this.#isReady(session)
    this.#syncs = new NodeSync({ ...ports, frames: this.#frames, isReady }, (node) => this.#sessions.get(node))
    const { kubernetes, nodes, sessionLeases } = ports
    if (kubernetes && nodes)
      this.#marks = new ResyncMarks({ ...ports, kubernetes, nodes }, (...change) => this.#remark(...change))
    if (kubernetes && sessionLeases) {
      const onLost = (node: string, session: string) => this.#lost(node, session)
      this.#claims = new SessionClaims({ ...ports, kubernetes, sessionLeases }, onLost)
    }
    ports.records.ownedBy({
      holds: (node) => this.#sessions.has(node),
      onForeignChange: (node) => this.sync(node),
    })
    this.#follow(metrics)
  }

  #follow(metrics: Metrics): void {
    const sum = (of: (session: Session) => number) =>
      [...this.#sessions.values()].reduce((all, each) => all + of(each), 0)
    const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
      ['nodes', 'Connected nodes.', () => this.#sessions.size],
      [
        'outbox_depth',
        'Objects not yet acknowledged by connected nodes.',
        () => sum((session) => this.#waiting(session)),
      ],
      ['outbox_age_seconds', 'How long the oldest of them has been waiting.', () => this.#oldestAge()],
      [
        'notices_depth',
        'Frames without acknowledgement that wait for their socket.',
        () => sum((each) => each.noticeDepth),
      ],
      ['upstream_depth', 'Frames of nodes that are worked on.', () => sum((each) => each.unsettled)],
    ]
    for (const [name, help, read] of gauges) metrics.gauge({ name: `skerry_cloudhub_${name}`, help }).follow(read)
  }

  #waiting(session: Session): number {
    return session.outbox.depth + this.#syncs.beyond(session.peer.node)
  }

  #oldestAge(): number {
    const now = this.#ports.clock.now()
    const since = [...this.#sessions.values()].map(({ outbox }) => outbox.waitingSince ?? now)
    return Math.max(0, now - Math.min(now, ...since)) / 1000
  }

  get size(): number {
    return this.#sessions.size
  }

  async run(signal: AbortSignal): Promise<void> {
    const work = [this.#syncs, this.#ports.records, this.#marks, this.#claims].map((each) => each?.run(signal))
    await Promise.all([...work, this.#collect(signal)])
  }

  addSource(source: NodeSource): Disposable {
    const added = this.#syncs.addSource(source)
    for (const node of this.#sessions.keys()) this.sync(node)
    return added
  }

  sync(node: string): void {
    this.#syncs.sync(node)
  }

  isConnected(node: string): boolean {
    return this.#sessions.has(node)
  }

  ask(node: string, question: Question, options: AskOptions): Promise<Frame> {
    return this.#questions.ask(this.#sessions.get(node), question, options)
  }

  tell(node: string, question: Question): void {
    this.#questions.tell(this.#sessions.get(node), question)
  }

  peerOf(node: string): NodePeer | undefined {
    return this.#sessions.get(node)?.peer
  }

  isKnown(node: string): boolean {
    return this.#sessions.has(node) || this.#ports.records.has(node)
  }

  onConnection(handler: (peer: NodePeer, connected: boolean) => void): Disposable {
    this.#connections.add(handler)
    for (const { peer } of this.#sessions.values()) handler(peer, true)
    return { [Symbol.dispose]: () => void this.#connections.delete(handler) }
  }

  onUpstream(route: UpstreamKind, handler: UpstreamHandler): Disposable {
    this.#handlers.set(route, handler)
    return {
      [Symbol.dispose]: () => {
        if (this.#handlers.get(route) === handler) this.#handlers.delete(route)
      },
    }
  }

  onUserMessage(handler: UserMessageHandler): Disposable {
    return this.#users.handle(handler)
  }

  /** Begins a session; an older one of the node ends. The caller feeds `receive` and calls `disconnect`. */
  connect(peer: NodePeer, link: SessionLink): Session {
    const { clock, random, log } = this.#ports
    const session: Session = new Session({
      ...{ peer, link, clock, random, log },
      onAcknowledged: (item, took, next) => this.#acknowledged(session, { item, next }, took),
      onRefused: ({ object, resource }, reason) => {
        log.warn('A node cannot take an object', { node: peer.node, resource, reason })
        this.#syncs.refused(peer.node, object, reason)
      },
      onRoom: () => this.#syncs.room(session),
      onDrop: (cause) => this.#drop(cause),
      onEnd: () => {
        this.#questions.end(session)
        const uncertain = session.outbox.uncertain().filter(({ isUnrecorded }) => !isUnrecorded)
        for (const { object } of uncertain) this.#ports.records.doubt(peer.node, object)
      },
    })
    const older = this.#sessions.get(peer.node)
    this.#sessions.set(peer.node, session)
    older?.end('replaced by a newer session of the node')
    log.info('Node connected', { node: peer.node, skerry: peer.skerry })
    this.#claims?.hold(peer.node, peer.session)
    for (const handler of this.#connections) handler(peer, true)
    this.sync(peer.node)
    return session
  }

  disconnect(session: Session, reason: string): void {
    session.end(reason)
    const { node } = session.peer
    if (this.#sessions.get(node) !== session) return
    this.#sessions.delete(node)
    this.#syncs.forget(node)
    this.#claims?.release(node, session.peer.session)
    this.#ports.log.info('Node disconnected', { node, reason })
    for (const handler of this.#connections) handler(session.peer, false)
  }

  /** The node is gone from the API: it is cut off, and what it acknowledged is forgotten. */
  remove(node: string): void {
    const session = this.#sessions.get(node)
    if (session) this.disconnect(session, 'the node was deleted')
    this.#ports.records.forget(node)
    this.#users.forget(node)
    this.#marks?.forget(node)
  }

  /** KubeEdge's rule: what a node acknowledged is forgotten with its Node. Here it stays while something is meant for it. */
  async #collect(signal: AbortSignal): Promise<void> {
    const { nodes, records, clock, log } = this.#ports
    while (nodes && !signal.aborted) {
      await clock.sleep(COLLECT_EVERY, signal).catch(() => undefined)
      if (signal.aborted || !nodes.isSynced || !records.isSynced) continue
      for (const node of [...records.nodes()]) {
        if (nodes.get({ name: node }) || this.#sessions.has(node) || this.#syncs.isWanted(node)) continue
        log.info('A node is gone, and what it acknowledged is forgotten', { node })
        records.forget(node)
      }
    }
  }

  #isReady(session: Session): boolean {
    if (this.#marks && !this.#marks.isSynced) return false
    session.epoch = this.#epochOf(session.peer)
    return true
  }

  /** The edge's own word for its memory, the mark that stands for a forced resync, and which memory of the cloud holds the records. */
  #epochOf({ node, epoch }: NodePeer): string {
    return [this.#ports.memory?.() ?? '', this.#marks?.of(node) ?? '', epoch].filter((part) => part !== '').join('/')
  }

  /** What the node acknowledged in this session, the same process of it acknowledged. */
  #remark(node: string, isForced: boolean): void {
    const session = this.#sessions.get(node)
    if (!session) return
    if (isForced) session.confirmed.clear()
    session.epoch = this.#epochOf(session.peer)
    for (const { object, version } of session.confirmed.values()) {
      this.#ports.records.acknowledged(node, object, version, session.epoch)
    }
    this.sync(node)
  }

  #lost(node: string, id: string): void {
    const session = this.#sessions.get(node)
    if (session?.peer.session === id) this.disconnect(session, 'the node is connected to another cloud half')
  }

  cutOff(node: string, reason: string): void {
    const session = this.#sessions.get(node)
    if (session) this.disconnect(session, reason)
  }

  snapshot(): HubSnapshot {
    const nodes = [...this.#sessions.values()].map((session) => ({
      ...session.snapshot(),
      waiting: this.#waiting(session),
    }))
    return { nodes, dropped: Object.fromEntries(this.#droppedBy) }
  }

  evict(node: string, object: KubeObject): void {
    this.#syncs.evict(node, object)
  }

  endAll(reason: string): void {
    for (const session of [...this.#sessions.values()]) this.disconnect(session, reason)
  }

  #acknowledged({ peer, epoch }: Session, { item, next }: Acknowledged, took: Duration): void {
    const { records, log } = this.#ports
    const { object, version, isDeletion, isUnrecorded, resource } = item
    this.#took.observe(took.milliseconds / 1000)
    if (isUnrecorded) log.debug('Known from now on, and not recorded', { node: peer.node, resource })
    else if (isDeletion) records.gone(peer.node, object)
    // What it lets go of next is not relied on.
    else if (!next?.isDeletion) records.acknowledged(peer.node, object, version, epoch)
    log.debug('Delivered', { node: peer.node, resource })
  }

  /** Not a receipt: what it refers to is sent again, after a wait. */
  #refused({ peer, outbox }: Session, { header, route, content }: Frame): void {
    const reason = (typeof content === 'string' ? content : 'no reason given').slice(0, LONGEST_REASON)
    if (outbox.refuse(header.parent_msg_id, route.resource, reason)) return
    this.#ports.log.warn('A node reported an error', { node: peer.node, source: route.source, reason })
  }

  /** The caller waits for `session.room()` before it reads on. */
  receive(session: Session, frame: Frame): void {
    if (session.ended) return
    const { operation, source } = frame.route
    const { log } = this.#ports
    const { node } = session.peer
    if (operation === OPERATIONS.keepalive) {
      session.keepAlive()
    } else if (this.#questions.answer(session, frame)) {
      return
    } else if (operation === OPERATIONS.response) {
      session.outbox.acknowledge(frame.header.parent_msg_id ?? '')
    } else if (operation === OPERATIONS.error) {
      this.#refused(session, frame)
    } else if (isCloudSource(source)) {
      this.#drop('forged-source')
      log.warn('Dropped a frame that claims to come from the cloud', { node, source })
    } else if (!this.#syncs.told(session, frame)) {
      this.#route(session, frame)
    }
  }

  #route(session: Session, frame: Frame): void {
    const reply = replyOf(session)
    const route = upstreamRoute(frame)
    const handler = isKind(route) ? this.#handlers.get(route) : undefined
    if (handler && this.#marks && !session.peer.skerry && isRegistration(frame.route, session.peer.node)) {
      // The mark first: an edge that has no answer registers again, and is the same process in one session.
      session.marked ??= this.#marks.renew(session.peer.node)
      session.occupy(session.marked.then(() => (session.ended ? undefined : this.#hand(session, frame, handler))))
    } else if (handler) this.#hand(session, frame, handler)
    else if (route === 'user') session.occupy(this.#users.take(session.peer, frame, reply))
    else if (route === 'cluster-ca') reply(this.#answerClusterCa(frame))
    else if (route === 'applications') reply(this.#refusal(frame, NO_RELAY))
    else if (route === 'calls' || route === 'held') reply(this.#refusal(frame, NO_ROUTER))
    else this.#drop(`no-handler-${route}`)
  }

  #hand(session: Session, frame: Frame, handler: UpstreamHandler): void {
    const { log } = this.#ports
    const { peer } = session
    const expel = (reason: string) => {
      if (session.ended) return
      this.#expelled.add()
      const { source, operation, resource } = frame.route
      log.warn('A node claimed what is another’s and is cut off', {
        node: peer.node,
        source,
        operation,
        resource,
        reason,
      })
      session.expel(this.#refusal(frame, reason), reason)
      this.disconnect(session, reason)
    }
    const fail = (error: unknown) => log.warn('A frame of a node could not be worked on', { node: peer.node, error })
    try {
      const work = handler({ peer, frame, reply: replyOf(session), expel })
      if (work) session.occupy(work.catch(fail))
    } catch (error) {
      fail(error)
    }
  }

  #drop(cause: string): void {
    this.#dropped.add(1, { cause })
    this.#droppedBy.set(cause, (this.#droppedBy.get(cause) ?? 0) + 1)
  }

  #answerClusterCa(frame: Frame): Frame {
    const { clusterCa } = this.#ports
    if (clusterCa === undefined) return this.#refusal(frame, 'the CA of the Kubernetes API is not known here')
    return this.#frames.reply(frame, clusterCa, ANSWER_ROUTE)
  }

  #refusal(frame: Frame, reason: string): Frame {
    return this.#frames.refuse(frame, reason, ANSWER_ROUTE)
  }
}

const KINDS: ReadonlySet<UpstreamRoute> = new Set(['devices', 'applications', 'calls', 'held', 'edge'])

function isKind(route: UpstreamRoute): route is UpstreamKind {
  return KINDS.has(route)
}

/** Holds nothing but the session: whoever answers late does not keep what was said. */
function replyOf(session: Session): (answer: Frame) => void {
  return (answer) => void session.notify(answer)
}
