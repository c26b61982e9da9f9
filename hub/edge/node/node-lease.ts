import type { Clock, Duration } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { objectIn } from '../json.ts'
import type { Answer, NodeApi } from './node-api.ts'

/** Somebody else wrote it, made it or deleted it meanwhile: it is read again, once for each renewal. */
const STALE: ReadonlySet<string> = new Set(['Conflict', 'NotFound', 'AlreadyExists'])

/** The Lease by which a cluster knows that the node lives. */
export class NodeLease {
  readonly #name: string
  readonly #clock: Clock
  readonly #duration: Duration
  /** As the API last gave it; undefined until it was read on this link. */
  #lease: JsonObject | undefined

  constructor(name: string, duration: Duration, clock: Clock) {
    this.#name = name
    this.#duration = duration
    this.#clock = clock
  }

  /**
   * Rejects where the Lease could not be renewed. `uid` is that of the Node, which owns it. Answers `replaced` where the Lease
   * was gone, as it is when the Node that owned it was deleted.
   */
  async renew(api: NodeApi, uid: string | undefined): Promise<'renewed' | 'replaced'> {
    const first = await this.#write(api, uid)
    if (first === undefined) return 'renewed'
    this.#lease = undefined
    const again = STALE.has(first) ? await this.#write(api, uid) : first
    if (again === undefined) return first === 'NotFound' ? 'replaced' : 'renewed'
    this.#lease = undefined
    throw new Error(`the lease was not taken: ${again}`)
  }

  /** Undefined where it was taken, else the reason. */
  async #write(api: NodeApi, uid: string | undefined): Promise<string | undefined> {
    if (!this.#lease) {
      const read = await api.queryLease()
      if ('object' in read) this.#lease = read.object
      else if (read.err !== 'NotFound') return read.err
    }
    const lease = this.#renewed(uid)
    const answer: Answer = this.#lease ? await api.updateLease(lease) : await api.insertLease(lease)
    if ('err' in answer) return answer.err
    this.#lease = answer.object
    return undefined
  }

  #renewed(uid: string | undefined): JsonObject {
    // MicroTime has six digits.
    const renewTime = `${new Date(this.#clock.now()).toISOString().slice(0, -1)}000Z`
    const owner = { apiVersion: 'v1', kind: 'Node', name: this.#name, uid: uid ?? '' }
    const metadata = {
      ...objectIn(this.#lease, 'metadata'),
      name: this.#name,
      namespace: 'kube-node-lease',
      ...(uid ? { ownerReferences: [owner] } : {}),
    }
    const spec = { holderIdentity: this.#name, leaseDurationSeconds: this.#duration.milliseconds / 1000, renewTime }
    return { ...this.#lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  }
}
