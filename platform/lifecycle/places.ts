/** Places that are held at a time, by whom and in sum. Who hands them out says how many there are: nobody waits for one. */
export class Places<K> {
  readonly #held = new Map<K, number>()
  #taken = 0

  get taken(): number {
    return this.#taken
  }

  takenBy(holder: K): number {
    return this.#held.get(holder) ?? 0
  }

  /** One more, until it is disposed; also when that is done twice. */
  take(holder: K): Disposable {
    this.#taken++
    this.#held.set(holder, this.takenBy(holder) + 1)
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#taken--
        const left = this.takenBy(holder) - 1
        if (left > 0) this.#held.set(holder, left)
        else this.#held.delete(holder)
      },
    }
  }
}
