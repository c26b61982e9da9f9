import type { DatabaseSync } from 'node:sqlite'

/** Pages that stay free for what is written next. */
const SPARE_PAGES = 2_000
const SPARE_SHARE = 0.25
/** Moved at a time: 1 MiB, so that no commit waits long behind it. */
const PAGES_AT_ONCE = 256

/** Gives a little of what is free in the file back to the disk, once much is. What fails is tried again after the next commit. */
export function shrink(database: DatabaseSync): void {
  try {
    const free = Number(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'])
    if (free <= SPARE_PAGES) return
    const all = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
    if (free > all * SPARE_SHARE) database.prepare(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`).all()
  } catch {
    // The commit before it is durable; nothing depends on this one.
  }
}
