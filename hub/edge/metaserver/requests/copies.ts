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
/** No answer has this text. */
const REFUSED = 'null'
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
    return kept && read(kept)
  }

  /** Copies of whatever was asked for at the path, the latest first, as far as their text has the other one in it. */
  *at(user: User, pathname: string, text: string): Generator<Copy> {
    const start = keyOf(user, `${pathname}?`)
    for (const [key, kept] of [...this.#kept].reverse()) {
      const copy = key.startsWith(start) && kept.text.includes(text) ? read(kept) : undefined
      if (copy) yield copy
    }
  }

  /** Whether there is a copy of anything at the path, whichever part of it was asked for. */
  isKnown(user: User, pathname: string): boolean {
    const start = keyOf(user, `${pathname}?`)
    for (const [key, { text }] of this.#kept) if (key.startsWith(start) && text !== REFUSED) return true
    return false
  }

  keep(user: User, target: string, { object }: ApplicationAnswer): void {
    const text = object && JSON.stringify(object)
    if (text !== undefined && text.length <= LARGEST) this.#put(keyOf(user, target), text)
  }

  /** Instead of a copy: that there is none, because the cloud said no. */
  refuse(user: User, target: string): void {
    this.#put(keyOf(user, target), REFUSED)
  }

  /** Unix ms; undefined where the cloud did not say so, or has said something else since. */
  refusedAt(user: User, target: string): number | undefined {
    const kept = this.#kept.get(keyOf(user, target))
    return kept?.text === REFUSED ? kept.at : undefined
  }

  drop(user: User, target: string): void {
    const gone = this.#forget(keyOf(user, target))
    this.#write(gone.map((key) => ({ statement: 'meta.removeCopy', parameters: [key] })))
  }

  #put(key: string, text: string): void {
    const at = Math.trunc(this.#ports.clock.now())
    const gone = [...this.#forget(key), ...this.#makeRoom(text.length)]
    this.#kept.set(key, { text, at })
    this.#bytes += text.length
    this.#write([
      ...gone.filter((each) => each !== key).map((each) => ({ statement: 'meta.removeCopy', parameters: [each] })),
      { statement: 'meta.putCopy', parameters: [key, text, at] },
    ])
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

function read({ text, at }: Kept): Copy | undefined {
  const object: unknown = JSON.parse(text)
  return isJsonObject(object) ? { answer: { code: 200, object }, at } : undefined
}

/** No name and no target has a line break. */
function keyOf({ name, uid = '' }: User, target: string): string {
  return `${name}\n${uid}\n${target}`
}
