import { describeError, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../platform/time/index.ts'

export interface TellPagesPorts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface Pages<T> {
  readonly items: readonly T[]
  /** Most items of a page. */
  readonly bound: number
  /** Asks about one page; rejects where that is to be tried again. There is one page at least. */
  tell(page: readonly T[], isLast: boolean): Promise<void>
}

const REST = { first: seconds(1), most: seconds(60) }

/** One page after the other, each until it is answered, while the link lasts. Where the cloud refuses one, it cannot read them. */
export async function tellPages<T>(ports: TellPagesPorts, pages: Pages<T>, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = ports
  const { items, bound, tell } = pages
  const backoff = new Backoff(REST, random)
  for (let at = 0; (at === 0 || at < items.length) && !signal.aborted; ) {
    try {
      await tell(items.slice(at, at + bound), at + bound >= items.length)
      at += bound
      backoff.reset()
    } catch (error) {
      if (signal.aborted) return
      log.debug('The cloud did not compare what is here', { error: describeError(error) })
      if (error instanceof SkerryError && error.code === 'HUB_REQUEST_FAILED') return
      await clock.sleep(backoff.next(), signal).catch(() => undefined)
    }
  }
}
