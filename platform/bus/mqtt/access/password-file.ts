import { open } from 'node:fs/promises'
import { hasCode } from '../../../lifecycle/error-code.ts'
import { ConfigError, describeError } from '../../../lifecycle/errors.ts'
import type { Logger } from '../../../log/logger.ts'
import { type PasswordHash, parsePasswordLines } from './password-lines.ts'

export type Users = ReadonlyMap<string, PasswordHash>

export interface PasswordFileOptions {
  readonly path: string
  /** A file that was named must be there; else none means no users. */
  readonly isNamed: boolean
  readonly log: Logger
}

/** A user takes some 150 bytes. */
const MAX_BYTES = 1_048_576
const NOBODY: Users = new Map()

/** The users of the broker as their file has them now; read again only where it has changed. */
export class PasswordFile {
  readonly #options: PasswordFileOptions
  #seen = ''
  #users: Users | undefined = NOBODY
  #reading: Promise<Users | undefined> | undefined
  /** Begins after the present one, for all who asked meanwhile. */
  #next: Promise<Users | undefined> | undefined

  constructor(options: PasswordFileOptions) {
    this.#options = options
  }

  /** Throws ConfigError where the file cannot be used: what is wrong at the start is to be seen at the start. */
  async open(): Promise<void> {
    await this.#read()
  }

  /**
   * Undefined where there is no file. While it cannot be used, as when others may read it, there are no users: nobody gets in
   * by a file that somebody else may have written.
   */
  users(): Promise<Users | undefined> {
    if (this.#next) return this.#next
    if (!this.#reading) return this.#begin()
    // What is being read now may be older than this question.
    this.#next = this.#reading.then(() => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  #begin(): Promise<Users | undefined> {
    this.#reading = this.#refresh().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #refresh(): Promise<Users | undefined> {
    try {
      await this.#read()
    } catch (error) {
      const reason = describeError(error)
      if (this.#seen !== reason) this.#options.log.error('The password file cannot be used; nobody logs in', { error })
      this.#seen = reason
      this.#users = NOBODY
    }
    return this.#users
  }

  async #read(): Promise<void> {
    const { path, isNamed, log } = this.#options
    const found = await readGuarded(path, this.#seen)
    if (found === 'absent') {
      if (isNamed) throw missing(path)
      this.#seen = ''
      this.#users = undefined
    } else if (found !== 'same') {
      const { users, bad } = parsePasswordLines(found.text)
      for (const { line, reason } of bad.slice(0, 10)) {
        log.warn('A line of the password file is passed over', { path, line, reason })
      }
      log.info('The password file was read', { path, users: users.size })
      this.#seen = found.state
      this.#users = users
    }
  }
}

async function readGuarded(path: string, seen: string) {
  const file = await openIfPresent(path)
  if (!file) return 'absent'
  try {
    const { mode, size, ino, mtimeMs, ctimeMs } = await file.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ConfigError(`others may read the password file: run chmod 600 ${path}`, {
        code: 'PLATFORM_PASSWORD_FILE_SHARED',
        fields: { path, mode: (mode & 0o777).toString(8) },
      })
    }
    if (size > MAX_BYTES) {
      throw new ConfigError('The password file is larger than 1 MiB', {
        code: 'PLATFORM_PASSWORD_FILE_TOO_LARGE',
        fields: { path },
      })
    }
    const state = `${ino} ${size} ${mtimeMs} ${ctimeMs}`
    if (state === seen) return 'same'
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await file.read(bytes, 0, size, 0)
    return { text: bytes.subarray(0, bytesRead).toString('utf8'), state }
  } finally {
    await file.close()
  }
}

async function openIfPresent(path: string) {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw new ConfigError('The password file cannot be read', {
      code: 'PLATFORM_PASSWORD_FILE_UNREADABLE',
      fields: { path },
      cause: error,
    })
  }
}

function missing(path: string): ConfigError {
  return new ConfigError(`there is no password file ${path}: make it with skerry mqtt password NAME`, {
    code: 'PLATFORM_PASSWORD_FILE_MISSING',
    fields: { path },
  })
}
