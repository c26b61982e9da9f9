import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Store, StoreCall } from '../../../../platform/store/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'

export interface NodeVersionsPorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

const FACT = 'metaserver-version'
/** Reserved on disk at a time, so that a change costs no write. */
const RESERVED = 1_000_000

/**
 * The resourceVersions of this node: one strictly growing sequence over all kinds, also after kill -9 (what is reserved on disk is never
 * given again) and after a database that went back to a backup (no start begins below the clock's microseconds). They have nothing to
 * do with those of the cloud, which are far smaller.
 */
export class NodeVersions {
  readonly #ports: NodeVersionsPorts
  #last: number
  #reserved: number
  #isReserving = false

  private constructor(ports: NodeVersionsPorts, first: number) {
    this.#ports = ports
    this.#last = first
    this.#reserved = first + RESERVED
  }

  static async open(ports: NodeVersionsPorts): Promise<NodeVersions> {
    const { store, clock } = ports
    const [row] = await store.read({ statement: 'meta.fact', parameters: [FACT] })
    const before = Number(row?.['value'] ?? 0)
    const versions = new NodeVersions(ports, Math.max(before + 1, Math.trunc(clock.now() * 1000)))
    await store.write([versions.#reservation()])
    return versions
  }

  /** The highest one that was given. */
  get last(): number {
    return this.#last
  }

  next(): number {
    this.#last++
    if (this.#reserved - this.#last < RESERVED / 2) this.#reserve()
    return this.#last
  }

  #reserve(): void {
    if (this.#isReserving) return
    this.#isReserving = true
    this.#reserved = this.#last + RESERVED
    const { store, log } = this.#ports
    store
      .write([this.#reservation()])
      .catch((error: unknown) =>
        log.warn('Versions of MetaServer could not be reserved', { error: describeError(error) }),
      )
      .finally(() => {
        this.#isReserving = false
      })
  }

  #reservation(): StoreCall {
    return { statement: 'meta.setFact', parameters: [FACT, String(this.#reserved)] }
  }
}
