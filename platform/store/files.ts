import { basename, dirname, join } from 'node:path'

/** What may lie beside a database file, all in its folder so that it can be renamed into place. */
export function filesOf(file: string) {
  return {
    folder: dirname(file),
    log: `${file}-wal`,
    index: `${file}-shm`,
    /** There while damage is suspected: the next start reads everything. */
    suspect: `${file}.suspect`,
    /** A backup that is being written. */
    draft: `${file}.backup-new`,
    /** A copy of a backup that is being written, and when it is whole. */
    copying: `${file}.copying`,
    restored: `${file}.restored`,
    /** 1 is the newest. */
    backup: (number: number) => `${file}.backup-${number}`,
  }
}

/** Backups go by numbers from 1, without gaps but for a crash while they are rotated. */
export const MOST_BACKUPS = 9

const DAMAGED = '.damaged-'

/** Sorts by time. */
export function damagedName(file: string, timeMs: number): string {
  return `${file}${DAMAGED}${new Date(timeMs).toISOString().replace(/[-:]|\.\d+/g, '')}`
}

/** Of the names in the folder, those of damaged files that were put aside (without their logs), oldest first. */
export function damagedAmong(file: string, names: readonly string[]): readonly string[] {
  const start = `${basename(file)}${DAMAGED}`
  return names
    .filter((name) => name.startsWith(start) && /^\d{8}T\d{6}Z$/.test(name.slice(start.length)))
    .sort()
    .map((name) => join(dirname(file), name))
}
