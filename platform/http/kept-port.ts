import { dirname } from 'node:path'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../files/atomic.ts'
import { RefusedError } from '../lifecycle/errors.ts'

/** A port that is taken again after a restart: others have it in their environment. */
export class KeptPort {
  readonly #file: string

  /** The file is made with mode 0600 in a folder for this process alone. */
  constructor(file: string) {
    this.#file = file
  }

  /** 0: none yet. */
  async read(): Promise<number> {
    const port = Number(await readFileIfPresent(this.#file))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
  }

  /** Opens on the port of before, else on the one that is wanted, else on any that is free, and keeps which. */
  async open<T extends { readonly port: number }>(wanted: number, open: (port: number) => Promise<T>): Promise<T> {
    const before = await this.read()
    const opened = await onFirstFree([...new Set([before === 0 ? wanted : before, wanted, 0])], open)
    if (opened.port !== before) {
      await ensureDirectory(dirname(this.#file), 0o700)
      await writeFileAtomic(this.#file, `${opened.port}\n`, 0o600)
    }
    return opened
  }
}

async function onFirstFree<T>(
  [port = 0, ...others]: readonly number[],
  open: (port: number) => Promise<T>,
): Promise<T> {
  try {
    return await open(port)
  } catch (error) {
    const isTaken = error instanceof RefusedError && error.code === 'PLATFORM_PORT_TAKEN'
    if (!isTaken || others.length === 0) throw error
    return await onFirstFree(others, open)
  }
}
