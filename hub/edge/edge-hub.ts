import type { Bus } from '../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../platform/health/index.ts'
import { describeError, type Module, type Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../platform/time/index.ts'
import {
  DEFAULT_PROJECT_ID,
  EPOCH_HEADER,
  type Frame,
  GROUPS,
  type Json,
  links,
  MODULES,
  OPERATIONS,
} from '../../schemas/index.ts'
import type { FrameFactory, Link, LinkDialer } from '../link/index.ts'
import type { MetaManager } from './meta-manager.ts'
import { runNodeReporter } from './node-reporter.ts'
import { RequestTable } from './request-table.ts'
import { type Road, TwinUplink } from './twin-uplink.ts'

export interface EdgeHubPorts {
  readonly dialer: LinkDialer
  readonly meta: MetaManager
  readonly frames: FrameFactory
  readonly bus: Bus
  readonly store: Store
  readonly nodeName: string
  readonly projectId?: string
  /** Version of the program, for the Node's status. */
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface EdgeHub extends Module {
  /** Closes the link, so that it is made anew (with a rotated certificate, say). */
  reconnect(reason: string): void
}

const KEEPALIVE_EVERY = seconds(15)
const REQUEST_DEADLINE = seconds(20)
/** A link that lasted this long was a good one: the next wait begins small. */
const GOOD_LINK_MS = 5000

/** EdgeHub: the road to the cloud. Its start never waits for the cloud, and it never gives up. */
export function createEdgeHub(ports: EdgeHubPorts): EdgeHub {
  let link: Link | undefined
  return {
    name: 'EdgeHub',
    reconnect: (reason) => link?.close(reason),
    async start(scope) {
      const { bus, clock } = ports
      const epoch = await openEpoch(ports)
      const uplink = new TwinUplink(ports)
      bus.set(links, 'cloud', { connected: false, since: clock.now(), detail: 'not connected yet' })
      uplink.follow(scope)
      scope.run((signal) =>
        keepConnected(ports, epoch, uplink, scope, signal, (made) => {
          link = made
        }),
      )
    },
  }
}

/** Identity of this database: made once, so that the cloud notices when the edge starts with another. */
async function openEpoch({ store, random }: EdgeHubPorts): Promise<string> {
  const [row] = await store.read({ statement: 'meta.fact', parameters: ['epoch'] })
  const known = row?.['value']
  if (typeof known === 'string') return known
  const epoch = random.uuid()
  await store.write([{ statement: 'meta.setFact', parameters: ['epoch', epoch] }])
  return epoch
}

async function keepConnected(
  ports: EdgeHubPorts,
  epoch: string,
  uplink: TwinUplink,
  scope: Scope,
  signal: AbortSignal,
  onLink: (link: Link | undefined) => void,
): Promise<void> {
  const { dialer, bus, clock, random, log, nodeName, projectId = DEFAULT_PROJECT_ID, metrics = silentMetrics } = ports
  const headers = { node_id: nodeName, project_id: projectId, ConnectionUse: 'msg', [EPOCH_HEADER]: epoch }
  const backoff = new Backoff({ first: ms(500), most: seconds(30) }, random)
  const attempts = metrics.counter({
    name: 'skerry_edgehub_connects_total',
    help: 'Connections to the cloud, by outcome.',
    labels: ['outcome'],
  })
  let isConnected = 0
  const gauge = metrics.gauge({ name: 'skerry_edgehub_connected', help: '1 while the cloud is connected.' })
  using _follow = gauge.follow(() => isConnected)
  const show = (connected: boolean, detail: string) => {
    isConnected = connected ? 1 : 0
    scope.pending(connected ? undefined : `the cloud (${detail})`)
    bus.set(links, 'cloud', { connected, since: clock.now(), detail })
  }
  while (!signal.aborted) {
    const start = clock.monotonic()
    try {
      const link = await dialer.dial(headers, signal)
      attempts.add(1, { outcome: 'connected' })
      onLink(link)
      show(true, link.isSkerry ? 'connected' : 'connected to a KubeEdge cloud')
      log.info('Connected to the cloud', { skerry: link.isSkerry })
      const reason = await serveLink(ports, link, uplink, signal)
      onLink(undefined)
      show(false, reason)
      log.warn('The link to the cloud ended', { reason })
    } catch (error) {
      if (signal.aborted) return
      attempts.add(1, { outcome: 'failed' })
      show(false, describeError(error))
      log.debug('The cloud could not be reached', { error: describeError(error) })
    }
    if (clock.monotonic() - start > GOOD_LINK_MS) backoff.reset()
    await clock.sleep(backoff.next(), signal).catch(() => undefined)
  }
}

/** Everything that happens while one link lasts. Answers why it ended. */
async function serveLink(ports: EdgeHubPorts, link: Link, uplink: TwinUplink, signal: AbortSignal): Promise<string> {
  const { clock, frames, log, nodeName, version } = ports
  const ended = new AbortController()
  const onAbort = () => link.close('the edge is stopping')
  signal.addEventListener('abort', onAbort, { once: true })
  void link.closed.then((reason) => ended.abort(new Error(reason)))
  const requests = new RequestTable(clock)
  const send = (frame: Frame) => link.send(frame)
  const ask = (frame: Frame) => requests.ask(frame, send, REQUEST_DEADLINE, ended.signal)
  const road: Road = {
    isSkerry: link.isSkerry,
    signal: ended.signal,
    confirm: async (frame) => void (await ask(frame)),
  }
  const reporterPorts = { frames, clock, log, ask: async (frame: Frame): Promise<Json> => (await ask(frame)).content }
  try {
    const background = [
      keepAlive(ports, link, ended.signal),
      runNodeReporter({ nodeName, version }, reporterPorts, ended.signal),
    ]
    uplink.connected(road)
    for await (const frame of link.frames) receive(ports, link, requests, frame)
    await link.closed
    await Promise.all(background)
  } finally {
    signal.removeEventListener('abort', onAbort)
    uplink.disconnected(road)
    link.close('the edge lets go')
  }
  return link.closed
}

async function keepAlive({ frames, clock }: EdgeHubPorts, link: Link, signal: AbortSignal): Promise<void> {
  const route = { source: MODULES.edgeHub, group: GROUPS.resource, operation: OPERATIONS.keepalive, resource: 'node' }
  while (!signal.aborted) {
    await link.send(frames.make(route, 'ping')).catch((error: unknown) => link.close(describeError(error)))
    await clock.sleep(KEEPALIVE_EVERY, signal).catch(() => undefined)
  }
}

/** By group, as KubeEdge's EdgeHub routes; an unknown group is logged and the connection kept. */
function receive({ meta, log }: EdgeHubPorts, link: Link, requests: RequestTable, frame: Frame): void {
  const { group = '', operation, resource } = frame.route
  if (frame.header.parent_msg_id !== undefined) {
    if (!requests.answer(frame)) log.debug('An answer came that nobody waits for', { resource, operation })
    return
  }
  if (group === GROUPS.resource || group === 'func') {
    void meta.receive(frame).then(
      (reply) => link.send(reply).catch((error: unknown) => link.close(describeError(error))),
      (error: unknown) => log.error('A message of the cloud could not be handled', { resource, error }),
    )
  } else if (group === GROUPS.twin) {
    // Membership follows from the devices themselves; KubeEdge's notices of it need no answer.
    log.debug('A notice for the twins', { resource, operation })
  } else {
    log.warn('A message of the cloud has a group that nothing here serves', { group, resource, operation })
  }
}
