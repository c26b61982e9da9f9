import { type Duration, minutes } from '../../../../platform/time/index.ts'
import type { KubeObject } from '../../../../schemas/index.ts'
import {
  createInformer,
  type InformerPorts,
  type ObjectKey,
  type ResourceType,
  type RunningInformer,
} from '../../kubernetes/index.ts'

/** `failing`: its list cannot be had now, and is tried again. */
export type CacheState = 'unused' | 'listing' | 'failing' | 'synced'

export interface NamespaceCachesOptions<T extends KubeObject> {
  readonly type: ResourceType<T>
  /** An object came, changed or went. */
  readonly onChange: (object: T) => void
  /** The state of the namespace changed. */
  readonly onState: (namespace: string) => void
}

/** A namespace without pods is let go after this: pods are replaced by others of it. */
const LINGER: Duration = minutes(2)

interface Cache<T extends KubeObject> {
  readonly informer: RunningInformer<T>
  readonly stop: AbortController
  readonly done: Promise<void>
  isFailing: boolean
  linger: Disposable | undefined
}

/** Objects of one kind in the namespaces that are in use, each with a watch of its own that ends when nobody uses it. */
export class NamespaceCaches<T extends KubeObject> {
  readonly #options: NamespaceCachesOptions<T>
  readonly #ports: InformerPorts
  readonly #caches = new Map<string, Cache<T>>()
  #signal: AbortSignal | undefined

  constructor(options: NamespaceCachesOptions<T>, ports: InformerPorts) {
    this.#options = options
    this.#ports = ports
  }

  /** Watches end with the signal; before this is called, none begin. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) return
    await aborted
    const caches = [...this.#caches.values()]
    for (const cache of caches) end(cache, signal.reason)
    await Promise.all(caches.map(({ done }) => done))
  }

  /** Namespaces in use from now on. */
  use(namespaces: ReadonlySet<string>): void {
    if (!this.#signal || this.#signal.aborted) return
    for (const namespace of namespaces) {
      const cache = this.#caches.get(namespace)
      cache?.linger?.[Symbol.dispose]()
      if (cache) cache.linger = undefined
      else this.#start(namespace)
    }
    for (const [namespace, cache] of this.#caches) {
      if (namespaces.has(namespace) || cache.linger) continue
      cache.linger = this.#ports.clock.after(LINGER, () => {
        this.#caches.delete(namespace)
        end(cache, new Error('no pod uses the namespace'))
      })
    }
  }

  state(namespace: string): CacheState {
    const cache = this.#caches.get(namespace)
    if (!cache) return 'unused'
    if (cache.informer.isSynced) return 'synced'
    return cache.isFailing ? 'failing' : 'listing'
  }

  get(at: ObjectKey): T | undefined {
    return this.#caches.get(at.namespace ?? '')?.informer.get(at)
  }

  list(namespace: string): readonly T[] {
    return this.#caches.get(namespace)?.informer.list() ?? []
  }

  get size(): number {
    return this.#caches.size
  }

  #start(namespace: string): void {
    const { type, onChange, onState } = this.#options
    const stop = new AbortController()
    const onTrouble = () => {
      if (cache.isFailing) return
      cache.isFailing = true
      onState(namespace)
    }
    const informer = createInformer(type, { namespace, onTrouble }, this.#ports)
    const cache: Cache<T> = { informer, stop, done: informer.run(stop.signal), isFailing: false, linger: undefined }
    this.#caches.set(namespace, cache)
    informer.onChange((now, before) => {
      const object = now ?? before
      if (object && this.#caches.get(namespace) === cache) onChange(object)
    })
    void informer.synced(stop.signal).then(
      () => onState(namespace),
      // It ended before its first list.
      () => undefined,
    )
  }
}

function end(cache: Cache<KubeObject>, reason: unknown): void {
  cache.linger?.[Symbol.dispose]()
  cache.stop.abort(reason)
}
