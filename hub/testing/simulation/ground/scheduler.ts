/** Something that happens at a moment of virtual time, unless it is cancelled before. */
export interface Appointment extends Disposable {
  readonly at: number
}

interface Entry {
  readonly at: number
  readonly order: number
  fire: (() => void) | undefined
}

// What `afterTurn` calls is replaced while a world runs: its turns are ours.
const immediately = globalThis.setImmediate

/**
 * The one time of a world, ms. What falls due at one moment happens in the order in which it was asked for; what promises do
 * follows before anything else happens. Nothing else moves a world, so that one history is one sequence.
 */
export class Scheduler {
  #now = 0
  #order = 0
  readonly #heap: Entry[] = []
  #turns: (() => void)[] = []
  /** Moments so far: what a history costs. */
  moments = 0

  get now(): number {
    return this.#now
  }

  after(milliseconds: number, fire: () => void): Appointment {
    const entry: Entry = { at: this.#now + Math.max(0, milliseconds), order: this.#order++, fire }
    this.#put(entry)
    return {
      at: entry.at,
      [Symbol.dispose]: () => {
        entry.fire = undefined
      },
    }
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve))
  }

  /** Lets everything happen that falls due within so many ms. Turns of the event loop are part of the moment. */
  async run(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    const restore = this.#takeTurns()
    try {
      await this.#settle()
      for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
        this.#now = next.at
        this.moments++
        for (let due = this.#heap[0]; due && due.at <= this.#now; due = this.#heap[0]) {
          this.#take()
          const { fire } = due
          due.fire = undefined
          fire?.()
        }
        await this.#settle()
      }
      this.#now = end
    } finally {
      restore()
    }
  }

  #takeTurns(): () => void {
    const before = globalThis.setImmediate
    Reflect.set(globalThis, 'setImmediate', (turn: () => void) => void this.#turns.push(turn))
    return () => Reflect.set(globalThis, 'setImmediate', before)
  }

  /** Until no promise has anything to do. */
  async #settle(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => immediately(resolve))
      if (this.#turns.length === 0) return
      const turns = this.#turns
      this.#turns = []
      for (const turn of turns) turn()
    }
  }

  #put(entry: Entry): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (!above || isBefore(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #take(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let index = 0
    for (;;) {
      const child = this.#earlierChild(index)
      const below = heap[child]
      if (!below || isBefore(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
  }

  #earlierChild(index: number): number {
    const left = 2 * index + 1
    const one = this.#heap[left]
    const other = this.#heap[left + 1]
    return one && other && isBefore(other, one) ? left + 1 : left
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
