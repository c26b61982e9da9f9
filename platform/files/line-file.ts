import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../lifecycle/error-code.ts'
import { ensureDirectory } from './atomic.ts'

export interface LineFileOptions {
  /** Older ones stand beside it as `path.1`, `path.2` and so on. */
  readonly path: string
  /** A file that has become so large is put aside. */
  readonly mostBytes: number
  /** Files that are put aside; the oldest goes. */
  readonly keep: number
  /** Bytes that wait for the disk; more are dropped. */
  readonly mostWaiting: number
  /** So many lines were dropped, because too many waited or they could not be written (`error`). */
  readonly onDropped: (lines: number, error?: unknown) => void
}

/**
 * Lines at the end of a file that only its owner reads (mode 0600): taken at once, written in order behind the caller's back, a
 * batch at a time. Disposing writes what waits.
 */
export class LineFile implements AsyncDisposable {
  readonly #options: LineFileOptions
  #waiting: string[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #file: FileHandle | undefined
  #size = 0

  constructor(options: LineFileOptions) {
    this.#options = options
  }

  /** `line` has no newline. */
  add(line: string): void {
    const bytes = Buffer.byteLength(line) + 1
    if (this.#waitingBytes + bytes > this.#options.mostWaiting) {
      this.#options.onDropped(1)
      return
    }
    this.#waiting.push(line)
    this.#waitingBytes += bytes
    this.#writing ??= this.#write()
  }

  /** Resolves when everything that was added is written. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
    await this.#file?.sync()
    await this.#close()
  }

  async #write(): Promise<void> {
    // Callers add several lines in one turn: they go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      const bytes = this.#waitingBytes
      this.#waiting = []
      try {
        const file = await this.#current()
        await file.writeFile(`${lines.join('\n')}\n`)
        this.#size += bytes
      } catch (error) {
        this.#options.onDropped(lines.length, error)
        await this.#close().catch(() => undefined)
      }
      // Only now: what is being written counts as waiting.
      this.#waitingBytes -= bytes
    }
    // In the same turn as the last look, so that no line is left behind.
    this.#writing = undefined
  }

  async #current(): Promise<FileHandle> {
    if (this.#file && this.#size >= this.#options.mostBytes) await this.#putAside()
    if (this.#file) return this.#file
    await ensureDirectory(dirname(this.#options.path), 0o700)
    const file = await open(this.#options.path, 'a', 0o600)
    this.#file = file
    await file.chmod(0o600)
    this.#size = (await file.stat()).size
    return file
  }

  async #putAside(): Promise<void> {
    await this.#close()
    const { path, keep } = this.#options
    for (let number = keep; number > 0; number--) {
      await renameIfPresent(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`)
    }
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

async function renameIfPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}
