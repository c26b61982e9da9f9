import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log of a child that never grows without bound: at the limit it becomes FILE.1 and starts anew. */
export class LogFile implements Disposable {
  readonly path: string
  readonly #limit: number
  #handle: number
  #size: number

  constructor(path: string, limitBytes = 10_485_760) {
    this.path = path
    this.#limit = limitBytes
    this.#handle = openSync(path, 'a', 0o600)
    this.#size = fstatSync(this.#handle).size
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#size + bytes.length > this.#limit) this.#rotate()
    writeSync(this.#handle, bytes)
    this.#size += bytes.length
  }

  [Symbol.dispose](): void {
    closeSync(this.#handle)
  }

  #rotate(): void {
    closeSync(this.#handle)
    renameSync(this.path, `${this.path}.1`)
    this.#handle = openSync(this.path, 'a', 0o600)
    this.#size = 0
  }
}
