import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const WORKER = fileURLToPath(new URL('./gate-worker.ts', import.meta.url))
/** Helpers of the collector would only take the processor from the other workers. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--single-threaded-gc', '--max-semi-space-size=32']

/**
 * Histories in processes of their own: the test runner follows each promise, and a history has hundreds of thousands. What is
 * asked for is done in order, by whoever is free.
 */
export class Gate implements Disposable {
  readonly #free: ChildProcess[]
  readonly #busy = new Set<ChildProcess>()
  readonly #waiting: ((worker: ChildProcess) => void)[] = []

  constructor(processes: number) {
    this.#free = Array.from({ length: processes }, start)
  }

  [Symbol.dispose](): void {
    for (const worker of [...this.#free, ...this.#busy]) worker.kill()
  }

  /** A line for each history that breaks a promise. */
  async live(seeds: readonly string[]): Promise<readonly string[]> {
    const worker = this.#free.pop() ?? (await new Promise<ChildProcess>((resolve) => this.#waiting.push(resolve)))
    this.#busy.add(worker)
    const done = new AbortController()
    const { signal } = done
    const answered = once(worker, 'message', { signal }).then(([lines]): string[] => lines)
    const ended = once(worker, 'exit', { signal }).then(([code, by]) => [
      `whoever lived through the histories ${seeds[0]} to ${seeds.at(-1)} ended with ${by ?? code}`,
    ])
    worker.send(seeds)
    const broken = await Promise.race([answered, ended])
    done.abort()
    for (const rest of [answered, ended]) rest.catch(() => undefined)
    this.#busy.delete(worker)
    this.#release(worker.connected ? worker : start())
    return broken
  }

  #release(worker: ChildProcess): void {
    const next = this.#waiting.shift()
    if (next) next(worker)
    else this.#free.push(worker)
  }
}

function start(): ChildProcess {
  return fork(WORKER, [], { execArgv: FLAGS })
}
