export interface LaneOptions {
  /** Under way at a time, of all nodes. */
  readonly atOnce: number
  /** Under way at a time, of one node. */
  readonly perNode: number
  /** Waiting at a time, of one node. */
  readonly waitingPerNode: number
}

export interface Ticket {
  readonly node: string
  /** What has the same key on one node is worked on in its order, one after the other. */
  readonly key: string
}

interface Waiting extends Ticket {
  readonly enter: (leave: Disposable) => void
}

interface OfNode {
  readonly waiting: Waiting[]
  readonly keys: Set<string>
}

/**
 * A turnstile that is fair between nodes: each in its turn, however much another one asks. Neither how much waits nor how
 * much is under way can grow without bound.
 */
export class Lane {
  readonly #options: LaneOptions
  /** Nodes with something waiting or under way, the one whose turn is next first. */
  readonly #nodes = new Map<string, OfNode>()
  #underWay = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get depth(): number {
    return [...this.#nodes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0)
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Settles when it is this ticket's turn; dispose what it gives when done. Undefined where too much of the node waits. */
  enter(ticket: Ticket, signal: AbortSignal): Promise<Disposable> | undefined {
    const ofNode = this.#nodes.get(ticket.node) ?? { waiting: [], keys: new Set<string>() }
    if (ofNode.waiting.length >= this.#options.waitingPerNode) return undefined
    this.#nodes.set(ticket.node, ofNode)
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
    const onAbort = () => {
      const at = ofNode.waiting.indexOf(waiting)
      if (at >= 0) ofNode.waiting.splice(at, 1)
      this.#tidy(ticket.node, ofNode)
      reject(signal.reason)
    }
    const waiting: Waiting = {
      ...ticket,
      enter: (leave) => {
        signal.removeEventListener('abort', onAbort)
        resolve(leave)
      },
    }
    ofNode.waiting.push(waiting)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else this.#pump()
    return promise
  }

  #pump(): void {
    for (const [node, ofNode] of this.#nodes) {
      if (this.#underWay >= this.#options.atOnce) return
      if (ofNode.keys.size >= this.#options.perNode) continue
      const at = ofNode.waiting.findIndex(({ key }) => !ofNode.keys.has(key))
      const [next] = at < 0 ? [] : ofNode.waiting.splice(at, 1)
      if (!next) continue
      // The loop meets it again there.
      this.#toTheEnd(node, ofNode)
      this.#admit(next, ofNode)
    }
  }

  #admit({ node, key, enter }: Waiting, ofNode: OfNode): void {
    this.#underWay++
    ofNode.keys.add(key)
    let isInside = true
    enter({
      [Symbol.dispose]: () => {
        if (!isInside) return
        isInside = false
        this.#underWay--
        ofNode.keys.delete(key)
        // Others came while it was inside.
        this.#toTheEnd(node, ofNode)
        this.#tidy(node, ofNode)
        this.#pump()
      },
    })
  }

  #toTheEnd(node: string, ofNode: OfNode): void {
    this.#nodes.delete(node)
    this.#nodes.set(node, ofNode)
  }

  #tidy(node: string, ofNode: OfNode): void {
    if (ofNode.waiting.length === 0 && ofNode.keys.size === 0) this.#nodes.delete(node)
  }
}
