import type { Machine } from '../parts/machine.ts'
import type { Scene, Witness } from './promise.ts'

const NAME = 'messages in order'

interface Sent {
  isAcknowledged: boolean
  /** Of the machine when it was sent: a disk that went back may have lost it. */
  readonly setbacks: number
  /** Run of the cloud that was handed it last; undefined: none. */
  takenBy: number | undefined
  setbacksWhenTaken: number
}

/**
 * User messages that the edge acknowledged come to whoever serves them, in their order, each once; again only where the cloud
 * half was restarted, or the disk of the edge went back. What a bound dropped is counted.
 */
export class UserMessageOrder implements Witness {
  readonly name = NAME
  readonly #scene: Scene
  readonly #sent = new Map<string, Sent[]>()
  /** Number of the newest that came. */
  readonly #newest = new Map<string, number>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** Payload of the next message of this machine. */
  next({ node, setbacks }: Machine): string {
    const list = this.#sent.get(node) ?? []
    this.#sent.set(node, list)
    list.push({ isAcknowledged: false, setbacks, takenBy: undefined, setbacksWhenTaken: 0 })
    return String(list.length - 1)
  }

  acknowledged({ node }: Machine, payload: string): void {
    const sent = this.#sent.get(node)?.[Number(payload)]
    if (sent) sent.isAcknowledged = true
  }

  /** The handler of the cloud has taken it. */
  taken(node: string, payload: string, run: number): void {
    const number = Number(payload)
    const sent = this.#sent.get(node)?.[number]
    const machine = this.#scene.machines.find((each) => each.node === node)
    if (!sent || !machine) {
      this.#scene.violate(NAME, `a message of ${node} came that nobody sent: ${payload}`)
      return
    }
    if (sent.takenBy === run && sent.setbacksWhenTaken === machine.setbacks)
      this.#scene.violate(NAME, `message ${payload} of ${node} came twice`)
    const newest = this.#newest.get(node) ?? -1
    if (sent.takenBy === undefined && number < newest)
      this.#scene.violate(NAME, `message ${payload} of ${node} came after message ${newest}`)
    this.#newest.set(node, Math.max(newest, number))
    sent.takenBy = run
    sent.setbacksWhenTaken = machine.setbacks
  }

  async atRest(): Promise<string | undefined> {
    for (const machine of this.#scene.machines) {
      const missing = (this.#sent.get(machine.node) ?? []).filter(
        ({ isAcknowledged, setbacks, takenBy }) =>
          isAcknowledged && setbacks === machine.setbacks && takenBy === undefined,
      )
      const dropped = this.#scene.droppedMessages(machine)
      if (missing.length > dropped)
        return `${machine.node}: ${missing.length} acknowledged messages did not come, ${dropped} were counted as dropped`
      const waiting = machine.disk.rows('user.index').length
      if (waiting > 0) return `${machine.node}: ${waiting} messages wait on the disk`
    }
    return undefined
  }
}
