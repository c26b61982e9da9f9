import { DEVICE_STATUSES, type Kubernetes } from '../../hub/cloud/kubernetes/index.ts'
import type { DeviceStatus } from '../../schemas/index.ts'
import { PATIENCE_MS, within } from './figures.ts'

interface Awaited {
  readonly value: string
  resolve(at: number): void
}

/** A watcher of the DeviceStatuses of one namespace, as any client of the API may be one. */
export class StatusWatch {
  readonly #property: string
  readonly #awaited = new Map<string, Awaited>()
  /** What ended the watch; undefined while it runs. */
  #failure: unknown

  constructor(property: string) {
    this.#property = property
  }

  /** Runs until the signal aborts. */
  async run(kubernetes: Kubernetes, namespace: string, signal: AbortSignal): Promise<void> {
    try {
      const { resourceVersion } = await kubernetes.list(DEVICE_STATUSES, { namespace }, signal)
      for await (const event of kubernetes.watch(DEVICE_STATUSES, { namespace, resourceVersion }, signal)) {
        if (event.type === 'BOOKMARK') continue
        this.#saw(event.object)
      }
      this.#failure = new Error('the API ended the watch')
    } catch (error) {
      if (!signal.aborted) this.#failure = error
    }
  }

  /** When the watch showed the value (`performance.now()`). */
  async shows(name: string, value: number): Promise<number> {
    if (this.#failure) throw this.#failure
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#awaited.set(name, { value: String(value), resolve })
    return within(`DeviceStatus ${name} shows ${value}`, PATIENCE_MS, promise)
  }

  #saw(object: DeviceStatus): void {
    const awaited = this.#awaited.get(object.metadata.name)
    const twin = object.status?.twins?.find(({ propertyName }) => propertyName === this.#property)
    if (!awaited || twin?.reported?.value !== awaited.value) return
    this.#awaited.delete(object.metadata.name)
    awaited.resolve(performance.now())
  }
}
