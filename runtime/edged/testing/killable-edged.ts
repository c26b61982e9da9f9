import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../../schemas/index.ts'

export type Order = { readonly assign: JsonObject } | { readonly unassign: string } | { readonly to: 'start' | 'stop' }

const ENTRY = fileURLToPath(new URL('./edged-process.ts', import.meta.url))

export function isOrder(said: unknown): said is Order {
  return typeof said === 'object' && said !== null && ['assign', 'unassign', 'to'].some((key) => key in said)
}

/** Edged in a process of its own, which can be killed and started again on the same directory and runtime. */
export class KillableEdged implements AsyncDisposable {
  readonly #where: readonly [runtime: string, directory: string]
  /** What the cloud has for this node, by key: it outlives the process. */
  readonly #assigned = new Map<string, JsonObject>()
  #child: ChildProcess | undefined

  constructor(runtime: string, directory: string) {
    this.#where = [runtime, directory]
  }

  get assigned(): readonly string[] {
    return [...this.#assigned.keys()]
  }

  assign(key: string, pod: JsonObject): void {
    this.#assigned.set(key, pod)
    this.#say({ assign: pod })
  }

  unassign(key: string): void {
    this.#assigned.delete(key)
    this.#say({ unassign: key })
  }

  /** With all that is assigned known to it before. Settles once it has started, or was killed before. */
  start(): Promise<void> {
    this.#child = fork(ENTRY, this.#where, { execArgv: ['--disable-warning=ExperimentalWarning'] })
    for (const pod of this.#assigned.values()) this.#say({ assign: pod })
    return this.#told('start')
  }

  /** As the kernel does it. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** As a service manager does it. */
  async stop(): Promise<void> {
    await this.#told('stop')
    await this.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #told(to: 'start' | 'stop'): Promise<void> {
    const child = this.#child
    if (!child) throw new Error('there is no Edged')
    const answer = Promise.race([once(child, 'message'), once(child, 'exit')])
    this.#say({ to })
    await answer
    if (child.exitCode !== null) throw new Error(`Edged has ended with ${child.exitCode} instead: ${to}`)
  }

  /** A killed one hears nothing. */
  #say(order: Order): void {
    if (this.#child?.connected === true) this.#child.send(order, () => undefined)
  }
}
