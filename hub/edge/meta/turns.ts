/** Work on one thing is done in the order in which it came; other things do not wait for it. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Things that somebody works on. */
  get size(): number {
    return this.#last.size
  }

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => undefined)
    this.#last.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
