import { describeError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Store } from '../../../../platform/store/index.ts'
import type { Clock } from '../../../../platform/time/index.ts'

export interface ToldDocumentsPorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

const MOST = 500
/** In characters. */
const MOST_BYTES = 16 * 1024 * 1024
/** A larger one is not kept. */
export const LARGEST_DOCUMENT = 8 * 1024 * 1024

interface Kept {
  readonly tag: string
  readonly bytes: number
}

/**
 * What the cluster says of itself, by path, on disk for the time without the cloud. Texts are read when they are needed; those that came
 * first go first where there are too many, but for `lasting` paths.
 */
export class ToldDocuments {
  readonly #ports: ToldDocumentsPorts
  readonly #lasting: ReadonlySet<string>
  /** The latest last. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(ports: ToldDocumentsPorts, lasting: readonly string[]) {
    this.#ports = ports
    this.#lasting = new Set(lasting)
  }

  async open(): Promise<void> {
    for (const row of await this.#ports.store.read({ statement: 'meta.documents', parameters: [] })) {
      this.#note(String(row['path']), { tag: String(row['tag']), bytes: Number(row['bytes']) })
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  tagOf(path: string): string | undefined {
    return this.#kept.get(path)?.tag
  }

  async read(path: string): Promise<string | undefined> {
    if (!this.#kept.has(path)) return undefined
    const [row] = await this.#ports.store.read({ statement: 'meta.document', parameters: [path] })
    return row && String(row['text'])
  }

  /** Settles when it is on disk, or cannot be: then what was there before stays. */
  async keep(path: string, tag: string, text: string): Promise<void> {
    const { store, clock, log } = this.#ports
    if (text.length > LARGEST_DOCUMENT || this.tagOf(path) === tag) return
    const gone = this.#surplus(path, text.length)
    try {
      await store.write([
        ...gone.map((each) => ({ statement: 'meta.removeDocument', parameters: [each] })),
        { statement: 'meta.putDocument', parameters: [path, tag, text, Math.trunc(clock.now())] },
      ])
      for (const each of [...gone, path]) this.#forget(each)
      this.#note(path, { tag, bytes: text.length })
    } catch (error) {
      log.warn('What the cluster says of itself could not be kept', { path, error: describeError(error) })
    }
  }

  #surplus(path: string, bytes: number): readonly string[] {
    const gone: string[] = []
    let [count, size] = [this.#kept.size + 1, this.#bytes + bytes]
    for (const [each, kept] of this.#kept) {
      if (count <= MOST && size <= MOST_BYTES) break
      if (this.#lasting.has(each) || each === path) continue
      gone.push(each)
      count--
      size -= kept.bytes
    }
    return gone
  }

  #note(path: string, kept: Kept): void {
    this.#kept.set(path, kept)
    this.#bytes += kept.bytes
  }

  #forget(path: string): void {
    this.#bytes -= this.#kept.get(path)?.bytes ?? 0
    this.#kept.delete(path)
  }
}
