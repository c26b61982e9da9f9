import { type Clock, minutes } from '../../../platform/time/index.ts'
import type { ObjectStore } from './object-store.ts'

/** A client that was away for less goes on from where it was, unless more happened than is kept anyway. */
const REMEMBERED = minutes(60)
const EVERY = minutes(10)

/** Lets go of changes that are older than an hour, until the signal ends it. */
export async function compactOld(store: ObjectStore, clock: Clock, signal: AbortSignal): Promise<void> {
  const marks: number[] = []
  while (await slept(clock, signal)) {
    marks.push(store.version)
    if (marks.length <= REMEMBERED.milliseconds / EVERY.milliseconds) continue
    store.compact(marks.shift() ?? 0)
  }
}

/** False when the signal ended it. */
async function slept(clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(EVERY, signal)
    return true
  } catch {
    // The signal's reason.
    return false
  }
}
