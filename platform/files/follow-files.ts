import { readFile, stat } from 'node:fs/promises'
import { type Clock, type Duration, seconds } from '../time/index.ts'

export interface FollowFilesOptions {
  readonly paths: readonly string[]
  readonly clock: Clock
  /** Default 30 s. */
  readonly every?: Duration
  /** Given the texts of all files, at first and whenever one has changed. */
  readonly take: (texts: readonly string[]) => void
  /** A file cannot be read now, or `take` has thrown; what was taken last counts, and it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

export interface FollowedFiles {
  /** Looks now; settles when that is done, and never rejects. */
  look(): Promise<void>
  /** Looks again and again until the signal aborts, then rejects with its reason. */
  run(signal: AbortSignal): Promise<void>
}

/**
 * Files that others replace, such as certificates. They are looked at and not watched: a Secret that is mounted changes by a link to
 * another folder.
 */
export function followFiles({ paths, clock, every = seconds(30), take, onTrouble }: FollowFilesOptions): FollowedFiles {
  let seen = ''
  const look = async () => {
    try {
      const states = await Promise.all(paths.map((path) => stat(path)))
      const now = states.map(({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`).join('\n')
      if (now === seen) return
      take(await Promise.all(paths.map((path) => readFile(path, 'utf8'))))
      seen = now
    } catch (error) {
      onTrouble(error)
    }
  }
  return {
    look,
    async run(signal) {
      for (;;) {
        await clock.sleep(every, signal)
        await look()
      }
    },
  }
}
