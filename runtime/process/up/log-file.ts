import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log of a child that never grows without bound: at the limit it becomes FILE.1 and starts anew. */
export class LogFile implements Disposable {
  readonly path: string
  readonly #limit: number
  #handle: number
  #size: number
  #lost = 0

  constructor(path: string, limitBytes = 10_485_760) {
    this.path = path
    this.#limit = limitBytes
    this.#handle = openSync(path, 'a', 0o600)
    this.#size = fstatSync(this.#handle).size
  }

  /** A line that cannot be written (the disk is full) is lost: the children must go on. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    try {
      if (this.#size + bytes.length > this.#limit) this.#rotate()
      this.#size += writeSync(this.#handle, bytes)
    } catch {
      this.#lost++
    }
  }

  /** Lines that were lost. */
  get lost(): number {
    return this.#lost
  }

  [Symbol.dispose](): void {
    closeSync(this.#handle)
  }

  #rotate(): void {
    renameSync(this.path, `${this.path}.1`)
    const next = openSync(this.path, 'a', 0o600)
    closeSync(this.#handle)
    this.#handle = next
    this.#size = 0
  }
}
