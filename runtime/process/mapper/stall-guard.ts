import { Worker } from 'node:worker_threads'
import { type Duration, ms, systemClock } from '../../../platform/time/index.ts'

/** What the thread of the guard is given. */
export interface StallGuardStart {
  readonly beats: Int32Array<SharedArrayBuffer>
  readonly patienceMs: number
}

const BEAT = ms(250)

/**
 * Ends this program, and says during what, when code of others blocks its thread: no deadline can do that from within. Costs a
 * thread, so it is for commands, not for an edge.
 */
export class StallGuard implements Disposable {
  readonly #worker: Worker
  readonly #beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #timer: Disposable | undefined

  constructor(patience: Duration) {
    const file = import.meta.url.endsWith('.ts') ? './stall-thread.ts' : './stall-thread.js'
    const workerData: StallGuardStart = { beats: this.#beats, patienceMs: patience.milliseconds }
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData })
    this.#worker.unref()
    this.#beat()
  }

  /** What is being done from now on. */
  doing(what: string): void {
    this.#worker.postMessage(what)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    void this.#worker.terminate()
  }

  #beat(): void {
    Atomics.add(this.#beats, 0, 1)
    Atomics.notify(this.#beats, 0)
    this.#timer = systemClock.after(BEAT, () => this.#beat())
  }
}
