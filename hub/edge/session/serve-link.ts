import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { MachineFacts } from '../node/machine.ts'
import { runNodeReporter } from '../node/node-reporter.ts'
import type { NodeSelf } from '../node/node-self.ts'
import type { Road, RoadUser } from '../road.ts'
import type { LinkSession } from './link-session.ts'

export interface ServeLinkPorts {
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly version: string
  readonly node?: NodeSelf
  readonly facts?: () => MachineFacts
  readonly clock: Clock
  readonly log: Logger
}

/** A cloud that does not get on with the Node gets the rest after this, well within the heartbeat that it expects. */
const NODE_PATIENCE = seconds(5)

/**
 * Everything that happens while one link lasts, in the order in which a cloud can use it: a keepalive, the Node with its status,
 * its Lease, then the users in their order. Answers why the link ended.
 */
export async function serveLink(
  ports: ServeLinkPorts,
  { session, users }: { readonly session: LinkSession; readonly users: readonly RoadUser[] },
  signal: AbortSignal,
): Promise<string> {
  const onAbort = () => session.close('the edge is stopping')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const road: Road = {
    isSkerry: session.isSkerry,
    signal: session.ended,
    ask: (frame, within) => session.ask(frame, within),
    confirm: (frame) => session.confirm(frame),
    deliver: (frame) => session.deliver(frame),
  }
  const running = session.run()
  const reported = Promise.withResolvers<void>()
  const ask = async (frame: Frame) => (await session.ask(frame)).content
  const reporting = runNodeReporter(ports, { ...ports, ask, onReported: () => reported.resolve() }, session.ended)
  const opening = openRoad(Promise.race([reported.promise, running]), { road, users, clock: ports.clock })
  try {
    return await running
  } finally {
    signal.removeEventListener('abort', onAbort)
    session.close('the edge lets go')
    await opening
    for (const user of users) user.disconnected(road)
    await reporting
  }
}

async function openRoad(
  ready: Promise<unknown>,
  { road, users, clock }: { readonly road: Road; readonly users: readonly RoadUser[]; readonly clock: Clock },
): Promise<void> {
  const late = Promise.withResolvers<void>()
  using _timer = clock.after(NODE_PATIENCE, () => late.resolve())
  // How the link ends is told to whoever runs it.
  await Promise.race([ready, late.promise]).catch(() => undefined)
  if (!road.signal.aborted) for (const user of users) user.connected(road)
}
