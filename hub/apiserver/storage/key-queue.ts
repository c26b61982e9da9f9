/** Runs work of one key one after the other, in the order of arrival; keys are independent of each other. */
export class KeyQueue {
  readonly #tails = new Map<string, { last: Promise<void>; waiting: number }>()
  readonly #mostWaiting: number

  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting
  }

  /** Undefined when too much waits for this key already: the work was not taken. */
  tryRun<T>(key: string, work: () => Promise<T>): Promise<T> | undefined {
    const tail = this.#tails.get(key) ?? { last: Promise.resolve(), waiting: 0 }
    if (tail.waiting >= this.#mostWaiting) return undefined
    this.#tails.set(key, tail)
    tail.waiting++
    const result = tail.last.then(work)
    tail.last = result.then(
      () => this.#done(key, tail),
      () => this.#done(key, tail),
    )
    return result
  }

  #done(key: string, tail: { waiting: number }): void {
    tail.waiting--
    if (tail.waiting === 0) this.#tails.delete(key)
  }
}
