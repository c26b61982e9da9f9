import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, type Duration, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { links } from '../../../schemas/index.ts'
import type { Link, LinkDialer } from '../../link/index.ts'

export interface KeepConnectedPorts {
  readonly dialer: LinkDialer
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** Between two attempts. Default 30 s. */
  readonly longestPause?: Duration
}

/** A link that lasted this long was a good one: the next pause is a short one. */
const GOOD_LINK = seconds(5)
const FIRST_PAUSE = ms(500)
const LONGEST_PAUSE = seconds(30)

/** Dials again and again, with growing and jittered pauses; `serve` has the link until it is gone, and answers why. */
export async function keepConnected(
  ports: KeepConnectedPorts & { readonly headers: Readonly<Record<string, string>>; readonly scope: Scope },
  serve: (link: Link) => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const { dialer, clock, random, log, headers, metrics = silentMetrics, longestPause = LONGEST_PAUSE } = ports
  const backoff = new Backoff({ first: FIRST_PAUSE, most: longestPause }, random)
  const attempts = metrics.counter({
    name: 'skerry_edgehub_connects_total',
    help: 'Connections to the cloud, by outcome.',
    labels: ['outcome'],
  })
  const show = showLink(ports)
  while (!signal.aborted) {
    try {
      const link = await dialer.dial(headers, signal)
      const start = clock.monotonic()
      attempts.add(1, { outcome: 'connected' })
      show(true, link.isSkerry ? 'connected' : 'connected to a KubeEdge cloud')
      log.info('Connected to the cloud', { skerry: link.isSkerry })
      const reason = await serve(link)
      if (clock.monotonic() - start > GOOD_LINK.milliseconds) backoff.reset()
      show(false, reason)
      log.warn('The link to the cloud ended', { reason })
    } catch (error) {
      if (signal.aborted) break
      attempts.add(1, { outcome: 'failed' })
      const detail = describeError(error)
      if (show(false, detail)) log.warn('The cloud cannot be reached; trying again', { error: detail })
    }
    await clock.sleep(backoff.next(), signal).catch(() => undefined)
  }
  show(false, 'the edge is stopping')
}

/** Shows the link on the bus and in `skerry status`; true where that is news. `since` is when the link last came or went. */
function showLink({
  bus,
  clock,
  scope,
}: KeepConnectedPorts & { readonly scope: Scope }): (connected: boolean, detail: string) => boolean {
  return (connected, detail) => {
    const before = bus.get(links, 'cloud')
    const since = before?.connected === connected ? before.since : clock.now()
    scope.pending(connected ? undefined : `the cloud (${detail})`)
    bus.set(links, 'cloud', { connected, since, detail })
    return before?.connected !== connected || before.detail !== detail
  }
}
