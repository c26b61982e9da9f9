import { describeError, SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { Backoff, type Clock, type Random, seconds } from '../../../../platform/time/index.ts'
import { DONE_RESOURCE, GROUPS, HELD_BOUND, MODULES, messagesContent, OPERATIONS } from '../../../../schemas/index.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'

export interface TellPorts {
  readonly hub: Pick<CloudHub, 'ask' | 'peerOf'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** What a node said, by the id of the message. */
export interface NodeReceipts {
  readonly node: string
  /** Rules that are not through with it. */
  readonly open: Map<string, Set<string>>
  /** Done, and the node does not know yet. Whether it is a call. */
  readonly done: Map<string, boolean>
  /** That has asked, and hence keeps what is taken. */
  session: string | undefined
  isTelling: boolean
}

const ANSWER_WITHIN = seconds(20)
const REST = { first: seconds(1), most: seconds(60) }

/**
 * Tells a node what is done, a bounded frame after the other, each until the node has it on disk: what becomes done meanwhile goes
 * with the next. Settles when it knows all, or its session is over; then it asks when it comes back. Never rejects.
 */
export async function tellDone(
  ports: TellPorts,
  of: NodeReceipts,
  onTold: (messages: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const { hub, clock, random, log } = ports
  const backoff = new Backoff(REST, random)
  while (of.done.size > 0 && !signal.aborted) {
    if (of.session === undefined || hub.peerOf(of.node)?.session !== of.session) {
      of.session = undefined
      return
    }
    const { session } = of
    const { isCall, messages } = nextOf(of)
    const source = isCall ? MODULES.routerServiceBus : MODULES.routerEventBus
    const route = { source, group: GROUPS.user, operation: OPERATIONS.done, resource: DONE_RESOURCE }
    try {
      await hub.ask(of.node, { route, content: messagesContent(messages) }, { deadline: ANSWER_WITHIN, signal })
      onTold(messages)
      backoff.reset()
    } catch (error) {
      if (signal.aborted) return
      log.debug('A node could not be told what is done', { node: of.node, error: describeError(error) })
      if (error instanceof SkerryError && error.code === 'HUB_NODE_AWAY') {
        // A session that has ended is still the node's until its link is closed: asked again at once it would answer at once, for ever.
        if (of.session === session) of.session = undefined
        continue
      }
      await clock.sleep(backoff.next(), signal).catch(() => undefined)
    }
  }
}

/** The oldest, and those of its kind. */
function nextOf({ done }: NodeReceipts): { readonly isCall: boolean; readonly messages: readonly string[] } {
  const [first] = done
  const isCall = first?.[1] === true
  const messages: string[] = []
  for (const [message, kind] of done) {
    if (messages.length >= HELD_BOUND) break
    if (kind === isCall) messages.push(message)
  }
  return { isCall, messages }
}
