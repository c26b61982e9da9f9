import { timeOf } from '../../housekeeping/log-files.ts'
import type { LogFile, LogFolder } from './log-folder.ts'
import { tailOf, tailOfChunks } from './log-tail.ts'

/** A place in a log: which of its files, and how many bytes in. */
export interface Place {
  /** Of a file that was rotated; undefined: the one that is written. */
  readonly suffix: string | undefined
  readonly at: number
  /** Where it is the one that is written: the file before it. Rotations until it is opened leave others between the two. */
  readonly after?: string
}

export interface Opened extends AsyncDisposable {
  readonly place: Place
  readonly file: LogFile
  /** The newest file that was rotated before this one, where this one is the one that is written. */
  readonly newest: string | undefined
}

/** Rotations between two looks. */
const MOST_TRIES = 10

/** The files of the log of one container, the oldest first; the one that is written is the last one. */
export class LogChain {
  readonly #folder: LogFolder
  readonly #name: string

  /** `name` is that of the file that is written: `3.log`. */
  constructor(folder: LogFolder, name: string) {
    this.#folder = folder
    this.#name = name
  }

  /** Where the last lines begin, or all that is not older than `since` (Unix ms). Nothing where there is no file. */
  async begin({
    tailLines,
    since,
  }: {
    readonly tailLines?: number
    readonly since?: number
  }): Promise<Opened | undefined> {
    for (let tries = 0; ; tries++) {
      const suffixes = await this.#folder.rotated(this.#name)
      const place = await (tailLines === undefined ? this.#since(suffixes, since) : this.#tail(suffixes, tailLines))
      const opened = await this.open(place)
      // What was counted in the file that was written then is now in another one.
      const isOther = place.suffix === undefined && opened?.newest !== suffixes.at(-1)
      if (!isOther || tries === MOST_TRIES) return opened
      await opened?.[Symbol.asyncDispose]()
    }
  }

  async open(place: Place): Promise<Opened | undefined> {
    if (place.suffix !== undefined) {
      const file = await this.#folder.file(this.#name + place.suffix)
      return file && { place, file, newest: undefined, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
    }
    for (let tries = 0; ; tries++) {
      const suffixes = await this.#folder.rotated(this.#name)
      const { after } = place
      const between = after === undefined ? undefined : suffixes.find((each) => each > after)
      if (between !== undefined) return await this.open({ suffix: between, at: place.at })
      const newest = suffixes.at(-1)
      const file = await this.#folder.file(this.#name)
      if (!file) return undefined
      if (newest === (await this.#newest()) || tries === MOST_TRIES) {
        return { place, file, newest, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
      }
      await file[Symbol.asyncDispose]()
    }
  }

  /** The file after one; undefined while that is the one that is written, also by its new name. */
  async after({ place, newest }: Pick<Opened, 'place' | 'newest'>): Promise<Place | undefined> {
    const suffixes = await this.#settled()
    const own = place.suffix ?? suffixes.find((each) => newest === undefined || each > newest)
    if (own === undefined) return undefined
    const suffix = suffixes.find((each) => each > own)
    if (suffix !== undefined) return { suffix, at: 0 }
    await using written = await this.#folder.file(this.#name)
    return written && { suffix: undefined, at: 0, after: own }
  }

  /** A folder is not listed in one moment: of two files that are made meanwhile, the second may be there without the first. */
  async #settled(): Promise<readonly string[]> {
    let last = await this.#folder.rotated(this.#name)
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const now = await this.#folder.rotated(this.#name)
      if (now.join() === last.join()) break
      last = now
    }
    return last
  }

  async #newest(): Promise<string | undefined> {
    return (await this.#folder.rotated(this.#name)).at(-1)
  }

  /** A file was closed at the time in its name. */
  async #since(suffixes: readonly string[], since = 0): Promise<Place> {
    return { suffix: suffixes.find((each) => timeOf(this.#name + each) + 1000 >= since), at: 0 }
  }

  async #tail(suffixes: readonly string[], tailLines: number): Promise<Place> {
    let left = tailLines
    for (const suffix of [undefined, ...suffixes.toReversed()]) {
      await using file = await this.#folder.file(this.#name + (suffix ?? ''))
      if (!file) continue
      const size = (await file.plain?.stat())?.size ?? 0
      if (left === 0) return { suffix, at: size }
      const tail = await (file.plain ? tailOf(file.plain, size, left) : tailOfChunks(() => file.chunks(), left))
      if ('at' in tail) return { suffix, at: tail.at }
      left -= tail.lines
    }
    return { suffix: suffixes[0], at: 0 }
  }
}
