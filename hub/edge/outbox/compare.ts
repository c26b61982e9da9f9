import { describeError, SkerryError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import { GROUPS, HELD_BOUND, HELD_RESOURCE, messagesContent, OPERATIONS, parseMissing } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { Road } from '../road.ts'
import type { Outbox, Stored } from './outbox.ts'

export interface ComparePorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Tries for one page; a cloud that says nothing so often is sent everything. */
const TRIES = 3
const REST = { first: seconds(1), most: seconds(10) }

/**
 * Before anything goes to a cloud, once for each link: which messages that were sent before does it have? Those that it lacks wait again,
 * in their places. A cloud that does not know the question is sent all of them: it knows by their ids what it has. Settles when that is
 * known, or the link is gone.
 */
export async function compareWithCloud<Message extends Stored>(
  ports: ComparePorts,
  { outbox, source }: { readonly outbox: Outbox<Message>; readonly source: string },
  road: Road,
): Promise<void> {
  const sent = outbox.sent()
  if (!road.isSkerry) return outbox.compared(sent, new Set(sent))
  let isAsked = true
  // There is one page at least: by it a cloud knows that it has to say what is done.
  for (let at = 0; at === 0 || at < sent.length; at += HELD_BOUND) {
    const page = sent.slice(at, at + HELD_BOUND)
    const missing: readonly string[] | undefined = isAsked ? await missingOf(ports, { page, source }, road) : undefined
    if (road.signal.aborted) return
    isAsked = missing !== undefined
    outbox.compared(page, new Set(missing ?? page))
  }
}

/** Undefined where the cloud does not say. */
async function missingOf(
  { frames, clock, random, log }: ComparePorts,
  { page, source }: { readonly page: readonly string[]; readonly source: string },
  road: Road,
): Promise<readonly string[] | undefined> {
  const route = { source, group: GROUPS.user, operation: OPERATIONS.query, resource: HELD_RESOURCE }
  const backoff = new Backoff(REST, random)
  for (let tries = 1; ; tries++) {
    try {
      return parseMissing((await road.ask(frames.make(route, messagesContent(page)))).content)
    } catch (error) {
      log.debug('The cloud did not say which messages it has', { error: describeError(error) })
      const isFinal = error instanceof SkerryError && error.code === 'HUB_REQUEST_FAILED'
      if (isFinal || tries >= TRIES || road.signal.aborted) return undefined
      await clock.sleep(backoff.next(), road.signal).catch(() => undefined)
    }
  }
}
