import { afterTurn } from '../../../../platform/time/index.ts'

/** Looked at in one go; then others have their turn. */
const SLICE = 100

/** Keys to be looked at soon, each once however often it was named. */
export class LookList {
  readonly #look: (key: string) => void
  readonly #keys = new Set<string>()
  #isOpen = false
  #isWaiting = false

  constructor(look: (key: string) => void) {
    this.#look = look
  }

  /** Nothing is looked at before. */
  open(): void {
    this.#isOpen = true
    this.#arm()
  }

  close(): void {
    this.#isOpen = false
  }

  add(key: string): void {
    this.#keys.add(key)
    this.#arm()
  }

  #arm(): void {
    if (!this.#isOpen || this.#isWaiting || this.#keys.size === 0) return
    this.#isWaiting = true
    queueMicrotask(() => this.#drain())
  }

  #drain(): void {
    let left = SLICE
    for (const key of this.#keys) {
      if (!this.#isOpen) break
      if (left-- === 0) return void afterTurn(() => this.#drain())
      this.#keys.delete(key)
      this.#look(key)
    }
    this.#isWaiting = false
  }
}
