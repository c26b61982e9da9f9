import { type Kubernetes, PODS } from '../../hub/cloud/kubernetes/index.ts'
import { within } from '../hub/figures.ts'

/** A watcher of the pods of one namespace, as any client of the API may be one. */
export class PodWatch implements AsyncDisposable {
  readonly #waiting = new Map<string, () => void>()
  readonly #end = new AbortController()
  /** Why it ended; undefined while it runs. */
  #failure: unknown
  #watching: Promise<void> = Promise.resolve()

  static async open(kubernetes: Kubernetes, namespace: string): Promise<PodWatch> {
    const { resourceVersion } = await kubernetes.list(PODS, { namespace })
    const watch = new PodWatch()
    watch.#watching = watch.#run(kubernetes, { namespace, resourceVersion })
    return watch
  }

  /** Settles once the API shows that the pod runs. */
  running(name: string, withinMs: number): Promise<void> {
    return this.#wait(name, 'Running', withinMs)
  }

  /** Settles once the API has it no more. */
  gone(name: string, withinMs: number): Promise<void> {
    return this.#wait(name, 'gone', withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('measured'))
    await this.#watching
  }

  #wait(name: string, what: string, withinMs: number): Promise<void> {
    if (this.#failure) throw this.#failure
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.set(`${name} ${what}`, resolve)
    return within(`${name} is ${what}`, withinMs, promise)
  }

  async #run(kubernetes: Kubernetes, from: { namespace: string; resourceVersion: string }): Promise<void> {
    const { signal } = this.#end
    try {
      for await (const event of kubernetes.watch(PODS, from, signal)) {
        if (event.type === 'BOOKMARK') continue
        const { name } = event.object.metadata
        this.#saw(`${name} ${event.type === 'DELETED' ? 'gone' : String(event.object.status?.['phase'])}`)
      }
      this.#failure = new Error('the API ended the watch')
    } catch (error) {
      if (!signal.aborted) this.#failure = error
    }
  }

  #saw(what: string): void {
    this.#waiting.get(what)?.()
    this.#waiting.delete(what)
  }
}
