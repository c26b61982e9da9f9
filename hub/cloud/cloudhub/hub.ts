import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Reconciler } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms, type Random } from '../../../platform/time/index.ts'
import { type Frame, GROUPS, type KubeObject, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import { createFrameFactory, type FrameFactory } from '../../link/index.ts'
import type { Informer, ObjectSync } from '../kubernetes/index.ts'
import type { CloudHub, HubSnapshot, NodePeer, NodeSource, UpstreamHandler, UserMessageHandler } from './delivery.ts'
import { planSync } from './plan.ts'
import { Session, type SessionLink } from './session.ts'
import type { SyncRecords } from './sync-records.ts'
import { isCloudSource, upstreamRoute } from './upstream.ts'
import { UserMessages } from './user-messages.ts'

export interface HubPorts {
  readonly records: SyncRecords
  readonly recordInformer: Informer<ObjectSync>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** PEM of the CA of the Kubernetes API, for edges that ask for it. */
  readonly clusterCa?: string
}

/** Records that are still listed are looked at again after this. */
const NOT_READY_WAIT = ms(100)
/** A source that is still listing is asked again after this, unless it calls before. */
const SOURCE_WAIT = ms(500)
/** Objects that one node may hold against the will of the API, and be told so; what it makes up must not fill the API. */
const MOST_EVICTED = 1000
/** Records opened side by side. */
const OPEN_AT_ONCE = 32

/** Sessions of all nodes, apart from sockets: who is connected, what goes down, where what comes up goes. */
export class Hub implements CloudHub {
  readonly #ports: HubPorts
  readonly #frames: FrameFactory
  readonly #sources = new Set<NodeSource>()
  readonly #sessions = new Map<string, Session>()
  readonly #connections = new Set<(peer: NodePeer, connected: boolean) => void>()
  readonly #handlers = new Map<'devices' | 'edge', UpstreamHandler>()
  readonly #users: UserMessages
  readonly #syncs: Reconciler
  readonly #dropped: Counter
  readonly #droppedBy = new Map<string, number>()
  readonly #expelled: Counter
  /** Objects behind the frames under way. */
  readonly #delivered = new WeakMap<Frame, KubeObject>()
  /** By node and uid, while the record is being made. */
  readonly #evicting = new Set<string>()

  constructor(ports: HubPorts) {
    this.#ports = ports
    this.#frames = createFrameFactory(ports)
    const metrics = ports.metrics ?? silentMetrics
    this.#users = new UserMessages(this.#frames, ports.log, metrics)
    this.#dropped = metrics.counter({
      name: 'skerry_cloudhub_dropped_total',
      help: 'Frames that CloudHub dropped, by cause.',
      labels: ['cause'],
    })
    this.#expelled = metrics.counter({
      name: 'skerry_cloudhub_expelled_total',
      help: 'Connections that were closed because the node claimed what is another’s.',
    })
    metrics.gauge({ name: 'skerry_cloudhub_nodes', help: 'Connected nodes.' }).follow(() => this.#sessions.size)
    metrics
      .gauge({ name: 'skerry_cloudhub_outbox_depth', help: 'Objects not yet acknowledged by connected nodes.' })
      .follow(() => [...this.#sessions.values()].reduce((sum, session) => sum + session.outbox.depth, 0))
    this.#syncs = createReconciler({
      name: 'node-sync',
      reconcile: (node, signal) => this.#sync(node, signal),
      workers: 8,
      clock: ports.clock,
      random: ports.random,
      log: ports.log,
      metrics,
    })
  }

  get size(): number {
    return this.#sessions.size
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#syncs.run(signal), this.#ports.records.run(signal)])
  }

  addSource(source: NodeSource): Disposable {
    this.#sources.add(source)
    return { [Symbol.dispose]: () => void this.#sources.delete(source) }
  }

  sync(node: string): void {
    if (this.#sessions.has(node)) this.#syncs.enqueue(node)
  }

  isConnected(node: string): boolean {
    return this.#sessions.has(node)
  }

  isKnown(node: string): boolean {
    return this.#sessions.has(node) || this.#ports.records.has(node)
  }

  onConnection(handler: (peer: NodePeer, connected: boolean) => void): Disposable {
    this.#connections.add(handler)
    return { [Symbol.dispose]: () => void this.#connections.delete(handler) }
  }

  onUpstream(route: 'devices' | 'edge', handler: UpstreamHandler): Disposable {
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
    const { clock, random, log, records } = this.#ports
    const session = new Session({
      peer,
      link,
      clock,
      random,
      log,
      onAcknowledged: ({ frame, key, version, isDeletion }) => {
        const object = this.#delivered.get(frame)
        if (!object) return
        if (isDeletion) records.gone(peer.node, object)
        else records.acknowledged(peer.node, object, version, peer.epoch)
        log.debug('Delivered', { node: peer.node, uid: key, resource: frame.route.resource })
      },
      onDrop: () => this.#drop('notices-full'),
    })
    const older = this.#sessions.get(peer.node)
    this.#sessions.set(peer.node, session)
    older?.end('replaced by a newer session of the node')
    log.info('Node connected', { node: peer.node, skerry: peer.skerry })
    for (const handler of this.#connections) handler(peer, true)
    this.sync(peer.node)
    return session
  }

  disconnect(session: Session, reason: string): void {
    session.end(reason)
    const { node } = session.peer
    if (this.#sessions.get(node) !== session) return
    this.#sessions.delete(node)
    this.#ports.log.info('Node disconnected', { node, reason })
    for (const handler of this.#connections) handler(session.peer, false)
  }

  /** The node is gone from the API: it is cut off, and what it acknowledged is forgotten. */
  remove(node: string): void {
    const session = this.#sessions.get(node)
    if (session) this.disconnect(session, 'the node was deleted')
    this.#ports.records.forget(node)
    this.#users.forget(node)
  }

  cutOff(node: string, reason: string): void {
    const session = this.#sessions.get(node)
    if (session) this.disconnect(session, reason)
  }

  snapshot(): HubSnapshot {
    const nodes = [...this.#sessions.values()].map((session) => session.snapshot())
    return { nodes, dropped: Object.fromEntries(this.#droppedBy) }
  }

  evict(node: string, object: KubeObject): void {
    const key = `${node}/${object.metadata.uid}`
    if (!this.#sessions.has(node) || this.#evicting.has(key) || this.#evicting.size >= OPEN_AT_ONCE) return
    this.#evicting.add(key)
    void this.#evict(node, object).finally(() => this.#evicting.delete(key))
  }

  /** A record of what the node has is all that a sync needs to take it away. */
  async #evict(node: string, object: KubeObject): Promise<void> {
    const { records, log } = this.#ports
    const unacknowledged = [...records.of(node).values()].filter(({ version }) => version === '')
    if (unacknowledged.length >= MOST_EVICTED) return
    try {
      await records.open(node, object)
      this.sync(node)
    } catch (error) {
      log.warn('A node keeps an object that it should not have; it is tried again', { node, error })
    }
  }

  endAll(reason: string): void {
    for (const session of [...this.#sessions.values()]) this.disconnect(session, reason)
  }

  /** The caller waits for `session.room()` before it reads on. */
  receive(session: Session, frame: Frame): void {
    if (session.ended) return
    const { operation, source } = frame.route
    const { log } = this.#ports
    const { node } = session.peer
    if (operation === OPERATIONS.keepalive) {
      session.keepAlive()
    } else if (operation === OPERATIONS.response) {
      session.outbox.acknowledge(frame.header.parent_msg_id ?? '')
    } else if (operation === OPERATIONS.error) {
      // Not a receipt: what it refers to is sent again.
      log.warn('A node reported an error', { node, source, content: String(frame.content).slice(0, 500) })
    } else if (isCloudSource(source)) {
      this.#drop('forged-source')
      log.warn('Dropped a frame that claims to come from the cloud', { node, source })
    } else {
      this.#route(session, frame)
    }
  }

  #route(session: Session, frame: Frame): void {
    const reply = (answer: Frame) => session.notify(answer)
    const route = upstreamRoute(frame.route)
    const handler = route === 'devices' || route === 'edge' ? this.#handlers.get(route) : undefined
    if (handler) this.#hand(session, frame, handler)
    else if (route === 'user') session.occupy(this.#users.take(session.peer, frame, reply))
    else if (route === 'cluster-ca') reply(this.#answerClusterCa(frame))
    else if (route === 'application') reply(this.#frames.refuse(frame, 'this cloud relays no API requests of the edge'))
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
      session.expel(this.#frames.refuse(frame, reason), reason)
      this.disconnect(session, reason)
    }
    const fail = (error: unknown) => log.warn('A frame of a node could not be worked on', { node: peer.node, error })
    try {
      const work = handler({ peer, frame, reply: (answer) => session.notify(answer), expel })
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
    if (clusterCa === undefined) return this.#frames.refuse(frame, 'the CA of the Kubernetes API is not known here')
    const route = { source: MODULES.cloudHub, group: GROUPS.resource }
    return this.#frames.reply(frame, clusterCa, route)
  }

  async #sync(node: string, signal: AbortSignal): Promise<void> {
    const session = this.#sessions.get(node)
    if (!session) return
    const { recordInformer, records } = this.#ports
    if (!recordInformer.isSynced) return this.#syncs.enqueueAfter(node, NOT_READY_WAIT)
    for (const source of this.#sources) {
      if (!source.isReady(node)) {
        this.#syncs.enqueueAfter(node, SOURCE_WAIT)
        continue
      }
      for (const notice of source.noticesFor?.(node, session.peer.session) ?? []) session.notify(notice)
      const steps = planSync(source, session.peer, records.of(node), (uid) => session.outbox.pending(uid))
      // Deletions go at once: a device that moves leaves its old node before the new one gets it.
      const additions = steps.filter((step) => step.operation !== OPERATIONS.delete)
      for (const step of steps) if (step.operation === OPERATIONS.delete) this.#put(session, step)
      for (let at = 0; at < additions.length; at += OPEN_AT_ONCE) {
        const batch = additions.slice(at, at + OPEN_AT_ONCE)
        await Promise.all(batch.map((step) => records.open(node, step.object, signal)))
        if (this.#sessions.get(node) !== session) return
        for (const step of batch) this.#put(session, step)
      }
    }
  }

  #put(session: Session, step: ReturnType<typeof planSync>[number]): void {
    const { operation, resource, source, object, content, version } = step
    const isDeletion = operation === OPERATIONS.delete
    const route = { source, group: GROUPS.resource, operation, resource }
    const frame = this.#frames.make(route, content, isDeletion ? undefined : object.metadata.resourceVersion)
    this.#delivered.set(frame, object)
    session.outbox.put({ key: object.metadata.uid ?? '', frame, version, isDeletion })
  }
}
