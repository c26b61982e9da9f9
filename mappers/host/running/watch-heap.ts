import type { Worker } from 'node:worker_threads'
import { type Clock, ms } from '../../../platform/time/index.ts'

const RARELY = ms(250)
const OFTEN = ms(50)
const MEGABYTE = 1 << 20

/** What V8 may come to before it collects garbage: half more than is in use, at heaps of this size. */
const WITH_GARBAGE = 1.5
/** Between the end by us and the end by V8. */
const LEAST_SLACK_MEGABYTES = 128

/** The limit for V8. Beyond it a thread may end the whole process: a single large allocation leaves it no time to end alone. */
export function hardLimitOf(heapMegabytes: number): number {
  return Math.round(heapMegabytes * WITH_GARBAGE + Math.max(LEAST_SLACK_MEGABYTES, heapMegabytes / 2))
}

/** Whether the heap of a thread can be looked at from outside, also while it never gives back control. */
export function canWatchHeap(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 16)
}

/** Calls once when the heap of the thread has grown beyond the limit, until it is disposed. */
export function watchHeap(worker: Worker, heapMegabytes: number, clock: Clock, onGrown: () => void): Disposable {
  let timer: Disposable | undefined
  let isOver = false
  const look = async (): Promise<void> => {
    try {
      const used = (await worker.getHeapStatistics()).used_heap_size / MEGABYTE
      if (isOver) return
      if (used > heapMegabytes * WITH_GARBAGE) return onGrown()
      timer = clock.after(used > heapMegabytes / 2 ? OFTEN : RARELY, () => void look())
    } catch {
      // It has ended, or has not begun: its end is told elsewhere.
      if (!isOver) timer = clock.after(RARELY, () => void look())
    }
  }
  timer = clock.after(RARELY, () => void look())
  return {
    [Symbol.dispose]() {
      isOver = true
      timer?.[Symbol.dispose]()
    },
  }
}
