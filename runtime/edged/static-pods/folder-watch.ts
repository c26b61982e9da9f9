import { type FSWatcher, watch } from 'node:fs'
import type { Clock } from '../../../platform/time/index.ts'
import { ms } from '../../../platform/time/index.ts'

/** Files that are saved together are read together. */
const SETTLE = ms(200)

/**
 * Tells, soon after, that something in a folder changed: where the machine says so, and as long as it does. Whoever counts on it
 * looks by itself from time to time as well, and calls `renew` then.
 */
export class FolderWatch implements Disposable {
  readonly #folder: string
  readonly #clock: Clock
  readonly #onChange: () => void
  #watcher: FSWatcher | undefined
  #timer: Disposable | undefined

  constructor(folder: string, clock: Clock, onChange: () => void) {
    this.#folder = folder
    this.#clock = clock
    this.#onChange = onChange
  }

  /** A folder may be another one by now, which its watcher does not notice. */
  renew(): void {
    this.#watcher?.close()
    this.#watcher = this.#begun()
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
    this.#timer?.[Symbol.dispose]()
    this.#watcher = undefined
  }

  #begun(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#folder, { persistent: false }, () => this.#changed())
      watcher.on('error', () => watcher.close())
      return watcher
    } catch {
      // There is no such folder yet, or the machine has no watches left.
      return undefined
    }
  }

  #changed(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#clock.after(SETTLE, this.#onChange)
  }
}
