import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { CheckResult } from '../check-mapper.ts'

/** Tries mappers in a thread, several in one: a thread takes longer to start than a mapper to try. */
export class MutantThread {
  #worker: Worker | undefined

  /** The first check that failed. What an earlier mutant may have left behind is never held against a later one. */
  async try(url: string): Promise<CheckResult | undefined> {
    const isFresh = this.#worker === undefined
    const failed = await this.#ask(url)
    const isStray = /where nobody can catch|leaks|left open/.test(failed?.reason ?? '')
    if (!isStray) return failed
    await this.end()
    return isFresh ? failed : this.try(url)
  }

  async end(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  async #ask(url: string): Promise<CheckResult | undefined> {
    this.#worker ??= new Worker(new URL('./run-mutant.ts', import.meta.url))
    const answered = once(this.#worker, 'message')
    this.#worker.postMessage(url)
    const [failed] = await answered
    return failed
  }
}
