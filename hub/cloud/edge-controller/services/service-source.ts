import { type Counter, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import {
  type KubeObject,
  MODULES,
  NAMESPACE_SERVICES,
  SERVICE_KINDS,
  type ServiceKind,
} from '../../../../schemas/index.ts'
import type { CloudHub, Delivery, NodeSource } from '../../cloudhub/delivery.ts'
import {
  type AnyObject,
  ENDPOINT_SLICES,
  ENDPOINTS,
  type InformerPorts,
  type ResourceType,
  SERVICES,
} from '../../kubernetes/index.ts'
import type { PodCache } from '../pods/pod-cache.ts'
import type { Workloads } from '../pods/workloads.ts'
import { NamespaceCaches } from '../references/namespace-caches.ts'
import { fit } from './fit.ts'
import { NamespaceFeed } from './namespace-feed.ts'
import type { ServiceEntry } from './service-entry.ts'
import { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from './service-limits.ts'

export interface ServiceSourcePorts extends InformerPorts {
  readonly hub: Pick<CloudHub, 'sync' | 'peerOf' | 'onConnection'>
  readonly workloads: Pick<Workloads, 'namespacesOf' | 'onNamespaces'> & { readonly pods: Pick<PodCache, 'isReady'> }
  /** Default: DEFAULT_SERVICE_LIMITS. */
  readonly limits?: ServiceLimits
}

const TYPES: Readonly<Record<ServiceKind, ResourceType<AnyObject>>> = {
  Service: SERVICES,
  EndpointSlice: ENDPOINT_SLICES,
  Endpoints: ENDPOINTS,
}

/**
 * Services, EndpointSlices and Endpoints of the namespaces in which a node has pods, for nodes that keep them: their MetaServer answers
 * from them. A namespace is watched while such a node is connected. Pods that a node made itself bring it nothing.
 */
export class ServiceSource implements NodeSource, Disposable {
  readonly name = 'services'
  // A namespace is not whole any more before the first of it goes.
  readonly kinds = [NAMESPACE_SERVICES, ...SERVICE_KINDS]
  readonly isUnrecorded = true
  readonly #ports: ServiceSourcePorts
  readonly #limits: ServiceLimits
  readonly #caches: Readonly<Record<ServiceKind, NamespaceCaches<AnyObject>>>
  readonly #feeds = new Map<string, NamespaceFeed>()
  /** Namespaces of each node that keeps their services. */
  readonly #namespaces = new Map<string, ReadonlySet<string>>()
  /** The same by namespace. */
  readonly #nodes = new Map<string, Set<string>>()
  /** Versions that a node said that it cannot take, by uid. */
  readonly #refused = new Map<string, Map<string, string>>()
  /** Objects that a node is not given, because it has as much as a node is given. */
  readonly #beyond = new Map<string, number>()
  readonly #leftOut: Counter
  readonly #changes: Counter
  readonly #held: Disposable[]

  constructor(ports: ServiceSourcePorts) {
    this.#ports = ports
    this.#limits = ports.limits ?? DEFAULT_SERVICE_LIMITS
    const cache = (kind: ServiceKind) => {
      const onChange = (object: AnyObject) => this.#feeds.get(object.metadata.namespace ?? '')?.note(kind, object)
      return new NamespaceCaches({ type: TYPES[kind], onChange, onState: (namespace) => this.#fill(namespace) }, ports)
    }
    this.#caches = { Service: cache('Service'), EndpointSlice: cache('EndpointSlice'), Endpoints: cache('Endpoints') }
    const { metrics = silentMetrics } = ports
    this.#leftOut = metrics.counter({
      name: 'skerry_edgecontroller_services_left_out_total',
      help: 'Services, EndpointSlices and Endpoints that nodes were not given, by cause.',
      labels: ['cause'],
    })
    this.#changes = metrics.counter({
      name: 'skerry_edgecontroller_services_changes_total',
      help: 'Changes of Services, EndpointSlices and Endpoints of nodes’ namespaces: told, coalesced with a later one, or without news.',
      labels: ['outcome'],
    })
    this.#held = this.#follow(metrics)
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#caches).map((cache) => cache.run(signal)))
  }

  /** From now on: which nodes keep services, and of which namespaces. The caller runs it before. */
  start(): void {
    const { hub, workloads } = this.#ports
    const look = (node: string) => this.#look(node)
    this.#held.push(
      workloads.onNamespaces(look),
      hub.onConnection(({ node }) => look(node)),
    )
  }

  [Symbol.dispose](): void {
    for (const each of [...this.#held, ...this.#feeds.values()]) each[Symbol.dispose]()
    this.#feeds.clear()
  }

  isReady(node: string): boolean {
    return this.#ports.workloads.pods.isReady(node)
  }

  /** Of a namespace that is still being read. */
  isUnsure({ metadata: { namespace = '' } }: KubeObject, node: string): boolean {
    return this.#namespaces.get(node)?.has(namespace) === true && this.#feeds.get(namespace)?.isFilled !== true
  }

  deliveriesFor(node: string): readonly Delivery[] {
    const feeds = [...(this.#namespaces.get(node) ?? [])]
      .toSorted()
      .flatMap((namespace) => this.#feeds.get(namespace) ?? [])
      .filter(({ isFilled }) => isFilled)
    const refused = this.#refused.get(node)
    const refuses = ({ delivery }: ServiceEntry) =>
      refused?.get(delivery.object.metadata.uid ?? '') === delivery.version
    const { deliveries, beyond } = fit(feeds, this.#limits, refuses)
    this.#tell(node, beyond)
    return deliveries
  }

  refused(node: string, { metadata: { uid = '', resourceVersion = '' } }: KubeObject): void {
    if (!this.#namespaces.has(node)) return
    const refused = this.#refused.get(node) ?? new Map<string, string>()
    this.#refused.set(node, refused.set(uid, `r${resourceVersion}`))
    if (refused.size > this.#limits.objects) this.#forgetGone(node, refused)
    this.#ports.hub.sync(node)
  }

  addressOf({ kind, metadata }: KubeObject): { readonly resource: string; readonly source: string } {
    const resource = `${metadata.namespace ?? 'default'}/${kind.toLowerCase()}/${metadata.name}`
    return { resource, source: MODULES.edgeController }
  }

  /** Versions of objects that are gone. */
  #forgetGone(node: string, refused: Map<string, string>): void {
    const feeds = [...(this.#namespaces.get(node) ?? [])].flatMap((namespace) => this.#feeds.get(namespace) ?? [])
    const there = new Set(feeds.flatMap(({ entries }) => entries.map(({ delivery }) => delivery.object.metadata.uid)))
    for (const uid of refused.keys()) if (!there.has(uid)) refused.delete(uid)
  }

  /** Whether the node keeps services, and of which namespaces, may be another thing now. */
  #look(node: string): void {
    const { hub, workloads } = this.#ports
    const wanted = hub.peerOf(node)?.keepsServices ? workloads.namespacesOf(node) : NONE
    const before = this.#namespaces.get(node) ?? NONE
    if (wanted.size === before.size && [...wanted].every((each) => before.has(each))) return
    if (wanted.size > 0) this.#namespaces.set(node, wanted)
    else this.#namespaces.delete(node)
    for (const namespace of before) if (!wanted.has(namespace)) this.#leave(node, namespace)
    for (const namespace of wanted) this.#nodes.set(namespace, (this.#nodes.get(namespace) ?? new Set()).add(node))
    if (wanted.size === 0) {
      this.#refused.delete(node)
      this.#beyond.delete(node)
    }
    const used = new Set(this.#nodes.keys())
    for (const cache of Object.values(this.#caches)) cache.use(used)
    for (const namespace of wanted) if (!this.#feeds.has(namespace)) this.#open(namespace)
    hub.sync(node)
  }

  #leave(node: string, namespace: string): void {
    const nodes = this.#nodes.get(namespace)
    nodes?.delete(node)
    if (nodes?.size !== 0) return
    this.#nodes.delete(namespace)
    this.#feeds.get(namespace)?.[Symbol.dispose]()
    this.#feeds.delete(namespace)
  }

  #open(namespace: string): void {
    const { clock, log } = this.#ports
    const feed = new NamespaceFeed(namespace, {
      ...{ clock, limits: this.#limits },
      now: (kind, name) => this.#caches[kind].get({ namespace, name }),
      onRound: () => this.#syncAll(namespace),
      count: (outcome, name) => {
        if (outcome !== 'too-large') return this.#changes.add(1, { outcome })
        this.#leftOut.add(1, { cause: outcome })
        const { objectBytes } = this.#limits
        log.warn('An object is too large for nodes, which ask for it instead', { namespace, name, objectBytes })
      },
    })
    this.#feeds.set(namespace, feed)
    this.#fill(namespace)
  }

  #fill(namespace: string): void {
    const feed = this.#feeds.get(namespace)
    if (!feed || feed.isFilled) return
    if (Object.values(this.#caches).some((cache) => cache.state(namespace) !== 'synced')) return
    const { Service, EndpointSlice, Endpoints } = this.#caches
    feed.fill({
      Service: Service.list(namespace),
      EndpointSlice: EndpointSlice.list(namespace),
      Endpoints: Endpoints.list(namespace),
    })
    this.#syncAll(namespace)
  }

  #syncAll(namespace: string): void {
    for (const node of this.#nodes.get(namespace) ?? []) this.#ports.hub.sync(node)
  }

  #tell(node: string, beyond: number): void {
    const before = this.#beyond.get(node) ?? 0
    if (beyond === before) return
    if (beyond > 0) this.#beyond.set(node, beyond)
    else this.#beyond.delete(node)
    if (beyond > before) this.#leftOut.add(beyond - before, { cause: 'beyond' })
    const { log } = this.#ports
    const { objects, bytes } = this.#limits
    if (before === 0) log.warn('A node does not get all services of its namespaces', { node, beyond, objects, bytes })
    else if (beyond === 0) log.info('A node gets all services of its namespaces again', { node })
  }

  #follow(metrics: Metrics): Disposable[] {
    const kept = metrics.gauge({
      name: 'skerry_edgecontroller_services',
      help: 'Services, EndpointSlices and Endpoints for nodes: namespaces that are watched, objects of them, and those that nodes are not given.',
      labels: ['what'],
    })
    const sum = (of: (feed: NamespaceFeed) => number) =>
      [...this.#feeds.values()].reduce((all, each) => all + of(each), 0)
    const tooLarge = ({ tooLarge: counts }: NamespaceFeed) => SERVICE_KINDS.reduce((all, kind) => all + counts[kind], 0)
    return [
      kept.follow(() => this.#feeds.size, { what: 'namespaces' }),
      kept.follow(() => sum(({ entries }) => entries.length), { what: 'objects' }),
      kept.follow(() => sum(tooLarge), { what: 'too-large' }),
      kept.follow(() => [...this.#beyond.values()].reduce((all, each) => all + each, 0), { what: 'beyond' }),
    ]
  }
}

const NONE: ReadonlySet<string> = new Set()
