import { MODULES } from '../../../../schemas/index.ts'
import type { CloudHub, Delivery, NodeSource } from '../../cloudhub/delivery.ts'
import {
  type AnyObject,
  CONFIG_MAPS,
  type InformerPorts,
  joinKey,
  type ObjectKey,
  SECRETS,
  SERVICE_ACCOUNTS,
  type Secret,
} from '../../kubernetes/index.ts'
import { wantedVersion } from '../object-version.ts'
import { type CacheState, NamespaceCaches } from '../references/namespace-caches.ts'
import { isMirror, referencesOf, secretsOfAccount } from '../references/pod-references.ts'
import { type ReferencedKind, ReferenceIndex } from '../references/reference-index.ts'
import { nodeOf, PodCache } from './pod-cache.ts'

export interface WorkloadPorts extends InformerPorts {
  readonly hub: CloudHub
}

/**
 * Pods of the nodes that have been here, and the ConfigMaps and Secrets that these pods use: what goes down, and what a node
 * may ask for. Nothing else of the cluster is kept in memory.
 */
export class Workloads {
  readonly pods: PodCache
  readonly configMaps: NamespaceCaches<AnyObject>
  readonly secrets: NamespaceCaches<Secret>
  readonly accounts: NamespaceCaches<AnyObject>
  readonly #ports: WorkloadPorts
  readonly #index = new ReferenceIndex()
  readonly #watching = new Set<(node: string) => void>()

  constructor(ports: WorkloadPorts) {
    this.#ports = ports
    const { hub } = ports
    const syncAll = (nodes: readonly string[]) => {
      for (const node of nodes) hub.sync(node)
    }
    const onState = (namespace: string) => syncAll(this.#index.nodesIn(namespace))
    this.configMaps = new NamespaceCaches<AnyObject>(
      { type: CONFIG_MAPS, onState, onChange: ({ metadata }) => syncAll(this.#users('ConfigMap', metadata)) },
      ports,
    )
    this.secrets = new NamespaceCaches<Secret>(
      { type: SECRETS, onState, onChange: ({ metadata }) => syncAll(this.#secretUsers(metadata)) },
      ports,
    )
    this.accounts = new NamespaceCaches<AnyObject>(
      { type: SERVICE_ACCOUNTS, onState, onChange: ({ metadata }) => syncAll(this.#users('ServiceAccount', metadata)) },
      ports,
    )
    this.pods = new PodCache({
      ...ports,
      onChange: (now, before) => this.#onPod(now, before),
      onReady: (node) => hub.sync(node),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const caches = [this.configMaps, this.secrets, this.accounts]
    await Promise.all([this.pods.run(signal), ...caches.map((cache) => cache.run(signal))])
  }

  /** Whether a pod of the node uses the object, by itself or through its service account. */
  isUsed(node: string, kind: ReferencedKind, at: ObjectKey): boolean {
    const { namespace = 'default', name } = at
    if (this.#index.isUsed(node, kind, namespace, name)) return true
    return kind === 'Secret' && this.#secretsOfAccounts(node, namespace).has(name)
  }

  /** Service accounts that pods of the node run under, as far as they are there; those that it made itself have none. */
  accountsOf(node: string): readonly AnyObject[] {
    const found = new Map<string, AnyObject>()
    for (const pod of this.pods.of(node)) {
      if (isMirror(pod)) continue
      const at = { namespace: pod.metadata.namespace ?? 'default', name: referencesOf(pod).serviceAccount }
      const account = this.accounts.get(at)
      if (account) found.set(joinKey(at), account)
    }
    return [...found.values()]
  }

  /** Whether `accountsOf` tells all of them. */
  areAccountsReady(node: string): boolean {
    if (!this.pods.isReady(node)) return false
    return [...namespacesOf(this.pods.of(node))].every((namespace) => this.accounts.state(namespace) === 'synced')
  }

  /** Nodes with a pod under the service account. */
  nodesUsing({ metadata: { namespace = 'default', name } }: AnyObject): readonly string[] {
    return this.#index.nodesUsing('ServiceAccount', namespace, name)
  }

  /** In which the pods of the node use something; those that it made itself use nothing. */
  namespacesOf(node: string): ReadonlySet<string> {
    return namespacesOf(this.pods.of(node))
  }

  /** Told whenever the namespaces of a node may be others. */
  onNamespaces(handler: (node: string) => void): Disposable {
    this.#watching.add(handler)
    return { [Symbol.dispose]: () => void this.#watching.delete(handler) }
  }

  /** As a source of CloudHub. */
  source(): NodeSource {
    return {
      name: 'pods',
      // A pod goes before what it uses.
      kinds: ['Pod', 'Secret', 'ConfigMap'],
      isReady: (node) => this.#isReady(node),
      isUnsure: (object, node) => this.#isUnsure(object.kind, object.metadata, node),
      deliveriesFor: (node) => this.#deliveriesFor(node),
      addressOf: ({ kind, metadata }) => ({
        resource: `${metadata.namespace ?? 'default'}/${kind.toLowerCase()}/${metadata.name}`,
        source: MODULES.edgeController,
      }),
    }
  }

  #onPod(now: AnyObject | undefined, before: AnyObject | undefined): void {
    const pod = now ?? before
    if (!pod) return
    const node = nodeOf(pod)
    const { namespace = 'default', name } = pod.metadata
    let isOther = !now || !before || now.metadata.uid !== before.metadata.uid
    if (!now) this.#index.delete(`${namespace}/${name}`)
    else if (this.#index.set(node, now)) isOther = true
    if (isOther) {
      const namespaces = this.#index.namespaces()
      for (const cache of [this.configMaps, this.secrets, this.accounts]) cache.use(namespaces)
      for (const look of this.#watching) look(node)
    }
    if (isOther || (now && before && wantedVersion(now) !== wantedVersion(before))) this.#ports.hub.sync(node)
  }

  /** Its pods are known, and what they use is, or cannot be had now. */
  #isReady(node: string): boolean {
    if (!this.pods.isReady(node)) return false
    const isSettled = (state: CacheState) => state === 'synced' || state === 'failing'
    return [...namespacesOf(this.pods.of(node))].every((namespace) =>
      [this.configMaps, this.secrets, this.accounts].every((cache) => isSettled(cache.state(namespace))),
    )
  }

  /** What a pod of the node uses and cannot be read now stays where it is. */
  #isUnsure(kind: string, { namespace = 'default', name }: ObjectKey, node: string): boolean {
    if (kind === 'ConfigMap') {
      return this.configMaps.state(namespace) === 'failing' && this.#index.isUsed(node, kind, namespace, name)
    }
    if (kind !== 'Secret') return false
    const isUsed = this.#index.isUsed(node, kind, namespace, name)
    if (this.accounts.state(namespace) === 'failing' && !isUsed) return this.#index.nodesIn(namespace).includes(node)
    return this.secrets.state(namespace) === 'failing' && this.isUsed(node, kind, { namespace, name })
  }

  #deliveriesFor(node: string): readonly Delivery[] {
    const pods = this.pods.of(node)
    const deliveries: Delivery[] = []
    for (const namespace of namespacesOf(pods)) {
      for (const object of this.configMaps.list(namespace)) {
        if (this.isUsed(node, 'ConfigMap', object.metadata)) deliveries.push(deliver('ConfigMap', object))
      }
      const ofAccounts = this.#secretsOfAccounts(node, namespace)
      for (const object of this.secrets.list(namespace)) {
        const { name } = object.metadata
        const isUsed = ofAccounts.has(name) || this.#index.isUsed(node, 'Secret', namespace, name)
        // KubeEdge has it so that a Secret never comes as an insert.
        if (isUsed) deliveries.push(deliver('Secret', object, true))
      }
    }
    for (const pod of pods) deliveries.push(deliver('Pod', pod, pod.metadata.deletionTimestamp !== undefined))
    return deliveries
  }

  #users(
    kind: 'ConfigMap' | 'Secret' | 'ServiceAccount',
    { namespace = 'default', name }: ObjectKey,
  ): readonly string[] {
    return this.#index.nodesUsing(kind, namespace, name)
  }

  #secretUsers(at: ObjectKey): readonly string[] {
    const through = this.#accountsWith(at).flatMap(({ metadata }) => this.#users('ServiceAccount', metadata))
    return [...new Set([...this.#users('Secret', at), ...through])]
  }

  #accountsWith({ namespace = 'default', name }: ObjectKey): readonly AnyObject[] {
    return this.accounts.list(namespace).filter((account) => secretsOfAccount(account).has(name))
  }

  #secretsOfAccounts(node: string, namespace: string): ReadonlySet<string> {
    const used = this.accounts.list(namespace).filter(({ metadata }) => {
      return this.#index.isUsed(node, 'ServiceAccount', namespace, metadata.name)
    })
    return new Set(used.flatMap((account) => [...secretsOfAccount(account)]))
  }
}

function deliver(kind: 'Pod' | 'ConfigMap' | 'Secret', object: AnyObject, isAlwaysUpdate = false): Delivery {
  const { namespace = 'default', name, resourceVersion = '' } = object.metadata
  return {
    object: { ...object, apiVersion: 'v1', kind },
    resource: `${namespace}/${kind.toLowerCase()}/${name}`,
    source: MODULES.edgeController,
    version: kind === 'Pod' ? wantedVersion(object) : `r${resourceVersion}`,
    ...(isAlwaysUpdate ? { isAlwaysUpdate } : {}),
  }
}

/** In which the pods use something. */
function namespacesOf(pods: readonly AnyObject[]): ReadonlySet<string> {
  const using = pods.filter((pod) => !isMirror(pod))
  return new Set(using.map(({ metadata }) => metadata.namespace ?? 'default'))
}
