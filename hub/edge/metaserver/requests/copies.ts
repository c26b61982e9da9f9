import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Store } from '../../../../platform/store/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'
import { isJsonObject } from '../../../kube/object/index.ts'
import type { User } from '../../../serving/user.ts'
import type { ApplicationAnswer } from '../../applications/applications.ts'

export interface Copy {
  readonly answer: ApplicationAnswer
  /** Unix ms. */
  readonly at: number
}

export interface CopiesPorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

const MOST = 500
const MOST_BYTES = 8 * 1024 * 1024
/** A larger answer is not kept. */
const LARGEST = 1024 * 1024

interface Kept {
  readonly text: string
  readonly at: number
}

/**
 * Last answers of the cloud, for the time without it, on disk. Each is the caller's own: what one was told is no other's. The oldest
 * go first where there are too many.
 */
export class Copies {
  readonly #ports: CopiesPorts
  /** The latest last. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(ports: CopiesPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    const rows = await this.#ports.store.read({ statement: 'meta.copies', parameters: [] })
    for (const row of rows) {
      const [key, text, at] = [String(row['key']), String(row['answer']), Number(row['received'])]
      this.#kept.set(key, { text, at })
      this.#bytes += text.length
    }
  }

  find(user: User, target: string): Copy | undefined {
    const kept = this.#kept.get(keyOf(user, target))
    if (!kept) return undefined
    const object: unknown = JSON.parse(kept.text)
    return isJsonObject(object) ? { answer: { code: 200, object }, at: kept.at } : undefined
  }

  /** Whether there is a copy of anything at the path, whichever part of it was asked for. */
  isKnown(user: User, pathname: string): boolean {
    const start = keyOf(user, `${pathname}?`)
    for (const key of this.#kept.keys()) if (key.startsWith(start)) return true
    return false
  }

  keep(user: User, target: string, { object }: ApplicationAnswer): void {
    const text = object && JSON.stringify(object)
    if (text === undefined || text.length > LARGEST) return
    const key = keyOf(user, target)
    const at = Math.trunc(this.#ports.clock.now())
    const gone = [...this.#forget(key), ...this.#makeRoom(text.length)]
    this.#kept.set(key, { text, at })
    this.#bytes += text.length
    this.#write([
      ...gone.filter((each) => each !== key).map((each) => ({ statement: 'meta.removeCopy', parameters: [each] })),
      { statement: 'meta.putCopy', parameters: [key, text, at] },
    ])
  }

  drop(user: User, target: string): void {
    const gone = this.#forget(keyOf(user, target))
    this.#write(gone.map((key) => ({ statement: 'meta.removeCopy', parameters: [key] })))
  }

  #forget(key: string): readonly string[] {
    const kept = this.#kept.get(key)
    if (!kept) return []
    this.#kept.delete(key)
    this.#bytes -= kept.text.length
    return [key]
  }

  #makeRoom(bytes: number): readonly string[] {
    const gone: string[] = []
    for (const key of this.#kept.keys()) {
      if (this.#kept.size < MOST && this.#bytes + bytes <= MOST_BYTES) break
      gone.push(...this.#forget(key))
    }
    return gone
  }

  #write(calls: Parameters<Store['write']>[0]): void {
    if (calls.length === 0) return
    const { store, log } = this.#ports
    store.write(calls).catch((error: unknown) => {
      log.warn('Copies of answers of the cloud could not be written', { error: describeError(error) })
    })
  }
}

/** No name and no target has a line break. */
function keyOf({ name, uid = '' }: User, target: string): string {
  return `${name}\n${uid}\n${target}`
}
