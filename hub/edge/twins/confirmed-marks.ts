import type { Logger } from '../../../platform/log/index.ts'
import type { Row, Store, StoreCall } from '../../../platform/store/index.ts'
import type { DeviceId } from '../../../schemas/index.ts'

/** What the cloud has confirmed of one device. Opaque texts; equal means that there is nothing to send. */
export interface Mark {
  readonly state: string
  /** Revision of the twin with that state; 0: not known. */
  readonly stateRevision: number
  readonly twin: string
  /** JSON of what the mapper refused, as it was sent with the twin. */
  readonly refusals: string
}

const NOTHING: Mark = { state: '', stateRevision: 0, twin: '', refusals: '[]' }

/**
 * Remembers on disk what is confirmed, so that a restart sends only what is not. A mark that is lost costs one message more;
 * writes are therefore never waited for, and those of many devices go together.
 */
export class ConfirmedMarks {
  readonly #store: Store
  readonly #log: Logger
  readonly #marks = new Map<DeviceId, Mark>()
  readonly #unwritten = new Set<DeviceId>()
  #writing: Promise<void> | undefined

  constructor(store: Store, log: Logger) {
    this.#store = store
    this.#log = log
  }

  async open(): Promise<void> {
    this.#marks.clear()
    for (const row of await this.#store.read({ statement: 'meta.marks', parameters: [] })) {
      this.#marks.set(textIn(row, 'device'), {
        ...splitState(textIn(row, 'state')),
        twin: textIn(row, 'twin'),
        refusals: textIn(row, 'refusals'),
      })
    }
  }

  of(id: DeviceId): Mark {
    return this.#marks.get(id) ?? NOTHING
  }

  get devices(): readonly DeviceId[] {
    return [...this.#marks.keys()]
  }

  confirm(id: DeviceId, part: Partial<Mark>): void {
    this.#marks.set(id, { ...this.of(id), ...part })
    this.#note(id)
  }

  forget(id: DeviceId): void {
    if (this.#marks.delete(id)) this.#note(id)
  }

  /** Also those that were on their way to the disk meanwhile. */
  forgetAll(): void {
    for (const id of this.devices) this.forget(id)
  }

  /** Settles when nothing is left to write, or could not be written. */
  async flushed(): Promise<void> {
    await this.#writing
  }

  #note(id: DeviceId): void {
    this.#unwritten.add(id)
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  async #write(): Promise<void> {
    while (this.#unwritten.size > 0) {
      const calls = [...this.#unwritten].map((id) => this.#call(id))
      this.#unwritten.clear()
      try {
        await this.#store.write(calls)
      } catch (error) {
        this.#log.warn('What the cloud has confirmed could not be noted', { devices: calls.length, error })
      }
    }
  }

  #call(id: DeviceId): StoreCall {
    const mark = this.#marks.get(id)
    if (!mark) return { statement: 'meta.unmark', parameters: [id] }
    return { statement: 'meta.mark', parameters: [id, `${mark.stateRevision} ${mark.state}`, mark.twin, mark.refusals] }
  }
}

function textIn(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : ''
}

/** The revision stands before the state, with a blank between; rows of before it was kept have none. */
function splitState(text: string): Pick<Mark, 'state' | 'stateRevision'> {
  const [, revision, state] = /^(\d+) (.*)$/s.exec(text) ?? []
  return state === undefined ? { state: text, stateRevision: 0 } : { state, stateRevision: Number(revision) }
}
