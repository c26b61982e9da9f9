import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'

/** Of one object, as JSON text: what a request may bring, and twice what etcd takes, which stores some kinds in a shorter form. */
const LARGEST_OBJECT = 3 * 1024 * 1024

/**
 * What objects take, and whether there is room for more. All of them are in memory: an API that took everything would end, and
 * end again at each start.
 */
export class Room {
  readonly #most: number
  readonly #sizes = new WeakMap<ApiObject, number>()
  #taken = 0

  /** `most`: characters of all objects together. */
  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken
  }

  /** Takes room for an object that was read from the disk. */
  put(object: ApiObject, size: number): void {
    this.#sizes.set(object, size)
    this.#taken += size
  }

  /**
   * Takes room for one that is to stand in the place of another, until it is given back; what takes less always may. Throws a
   * Status in the words that people know from etcd.
   */
  take(before: ApiObject | undefined, after: ApiObject | undefined, size: number): Disposable {
    if (size > LARGEST_OBJECT)
      throw refused(`etcdserver: request is too large: an object has at most ${LARGEST_OBJECT} bytes`)
    const growth = size - (before ? (this.#sizes.get(before) ?? 0) : 0)
    // What is there has to be able to say how it is, and to be marked as what has to go.
    const most = before ? this.#most * 1.1 : this.#most
    if (growth > 0 && this.#taken + growth > most) throw refused(fullText(this.#taken, this.#most))
    this.#taken += growth
    if (after) this.#sizes.set(after, size)
    const giveBack = () => {
      this.#taken -= growth
    }
    return { [Symbol.dispose]: giveBack }
  }
}

function fullText(taken: number, most: number): string {
  const why = `all objects take ${taken} of ${most} bytes that the memory of this API allows`
  return `etcdserver: mvcc: database space exceeded: ${why}; delete some, or give its process more (--max-old-space-size)`
}

/** Kubernetes passes on what its database says, without a reason. */
function refused(message: string): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 })
}
