import { existsSync } from 'node:fs'
import type { Metrics } from '../../../health/metrics.ts'
import { UnavailableError } from '../../../lifecycle/errors.ts'
import type { Logger } from '../../../log/logger.ts'
import { openStore, type Store, type StoreCall } from '../../../store/index.ts'
import type { Clock } from '../../../time/index.ts'
import { mqttStoreDomain } from './tables.ts'

export interface JournalOptions {
  /** Absent: nothing survives the process. */
  readonly file: string | undefined
  readonly durability?: 'full' | 'normal' | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/**
 * The disk behind sessions and retained messages. Its file and worker are made at the first write: a broker whose clients all
 * have clean sessions pays nothing. A damaged file is set aside.
 */
export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions
  #store: Promise<Store> | undefined
  #open: Store | undefined
  #isClosed = false

  constructor(options: JournalOptions) {
    this.#options = options
  }

  get isDurable(): boolean {
    return this.#options.file !== undefined
  }

  /** What an earlier process left, if it left anything. */
  async existing(): Promise<Store | undefined> {
    const { file } = this.#options
    return file !== undefined && existsSync(file) ? this.#opened(file) : undefined
  }

  /** The calls are atomic together and in the order of all writes. Undefined when nothing is kept. */
  write(calls: readonly StoreCall[]): Promise<void> | undefined {
    const { file } = this.#options
    if (file === undefined || calls.length === 0) return undefined
    if (this.#isClosed) return Promise.reject(closed(file))
    if (this.#open) return this.#open.write(calls)
    // All that come meanwhile wait for the same promise, and so keep their order.
    return this.#opened(file).then((store) => store.write(calls))
  }

  /** For what may be lost with the process: it is done again then. */
  note(calls: readonly StoreCall[]): void {
    if (this.#isClosed) return
    this.write(calls)?.catch((error: unknown) => {
      this.#options.log.warn('The MQTT broker could not note what a client has acknowledged', { error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opening = this.#store
    this.#isClosed = true
    this.#open = undefined
    this.#store = undefined
    const store = await opening?.catch(() => undefined)
    await store?.[Symbol.asyncDispose]()
  }

  #opened(file: string): Promise<Store> {
    const { clock, log, metrics, durability = 'full' } = this.#options
    const options = { clock, log, metrics, durability, onDamage: 'restore' } as const
    const opening = this.#store ?? openStore(file, [mqttStoreDomain], options)
    if (!this.#store) {
      this.#store = opening
      opening.then(
        (store) => {
          if (!this.#isClosed) this.#open = store
        },
        () => {
          // The next write tries again.
          this.#store = undefined
        },
      )
    }
    return opening
  }
}

function closed(file: string): UnavailableError {
  return new UnavailableError('The MQTT broker is not running', { code: 'PLATFORM_MQTT_CLOSED', fields: { file } })
}
