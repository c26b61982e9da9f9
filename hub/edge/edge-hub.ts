import type { Bus } from '../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../platform/health/index.ts'
import { describeError, type Module, type Scope, UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import { Backoff, type Clock, ms, type Random, seconds } from '../../platform/time/index.ts'
import { DEFAULT_PROJECT_ID, EPOCH_HEADER, type Frame, type FrameRoute, type Json, links } from '../../schemas/index.ts'
import type { FrameFactory, LinkDialer } from '../link/index.ts'
import type { MetaManager } from './meta/meta-manager.ts'
import type { MachineFacts } from './node/node-object.ts'
import { runNodeReporter } from './node/node-reporter.ts'
import type { Road, RoadUser } from './road.ts'
import { LinkSession } from './session/link-session.ts'
import { TwinDownlink } from './twins/twin-downlink.ts'
import { TwinUplink } from './twins/twin-uplink.ts'

export interface EdgeHubPorts {
  readonly dialer: LinkDialer
  readonly meta: MetaManager
  readonly frames: FrameFactory
  readonly bus: Bus
  readonly store: Store
  /** Of the store; another one than last time means that the data went back to an earlier state. Default 0. */
  readonly incarnation?: number
  readonly nodeName: string
  readonly projectId?: string
  /** Version of the program, for the Node's status. */
  readonly version: string
  /** What the Node says of the machine; default: this machine. */
  readonly facts?: () => MachineFacts
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** Told of each link. Absent: clients cannot send messages to the cloud. */
  readonly userUplink?: RoadUser
}

export interface EdgeHub extends Module, CloudRequests {
  /** Closes the link, so that it is made anew (with a rotated certificate, say). */
  reconnect(reason: string): void
}

/** What other parts of the edge ask of the cloud. */
export interface CloudRequests {
  readonly isConnected: boolean
  /**
   * Sends a request and gives its answer. Rejects with UnavailableError: HUB_OFFLINE at once while there is no link, HUB_REQUEST_FAILED
   * where the cloud answers with an error; with DeadlineError where it does not answer.
   */
  ask(route: FrameRoute, content: Json): Promise<Frame>
  /** Tells the cloud that its answer has arrived, for answers that it sends again otherwise. */
  acknowledge(answer: Frame): Promise<void>
}

/** A link that lasted this long was a good one: the next wait begins small. */
const GOOD_LINK = seconds(5)
const FIRST_WAIT = ms(500)
const LONGEST_WAIT = seconds(30)

/** EdgeHub: the road to the cloud. Its start never waits for the cloud, and it never gives up. */
export function createEdgeHub(ports: EdgeHubPorts): EdgeHub {
  const { frames } = ports
  const state: HubState = { session: undefined }
  const connected = (): LinkSession => {
    if (state.session) return state.session
    throw new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
  }
  return {
    name: 'EdgeHub',
    get isConnected() {
      return state.session !== undefined
    },
    reconnect: (reason) => state.session?.close(reason),
    ask: async (route, content) => connected().ask(frames.make(route, content)),
    acknowledge: async (answer) => connected().send(frames.reply(answer, 'OK')),
    async start(scope) {
      const { bus, clock } = ports
      const epoch = await openEpoch(ports)
      const uplink = new TwinUplink(ports)
      await uplink.start(scope)
      const downlink = new TwinDownlink(ports, (id) => uplink.resend(id))
      bus.set(links, 'cloud', { connected: false, since: clock.now(), detail: 'not connected yet' })
      scope.run((signal) => keepConnected(ports, { epoch, uplink, downlink, scope, state }, signal))
    },
  }
}

interface HubState {
  session: LinkSession | undefined
}

interface Running {
  readonly epoch: string
  readonly uplink: TwinUplink
  readonly downlink: TwinDownlink
  readonly scope: Scope
  readonly state: HubState
}

/**
 * Identity of this database: made once, so that the cloud notices when the edge starts with another, and made anew when a
 * backup took its place. What the cloud had confirmed of the lost state says nothing about this one.
 */
async function openEpoch({ store, random, incarnation = 0, log }: EdgeHubPorts): Promise<string> {
  const fact = async (name: string) => (await store.read({ statement: 'meta.fact', parameters: [name] }))[0]?.['value']
  const known = await fact('epoch')
  const isSame = String((await fact('incarnation')) ?? 0) === String(incarnation)
  if (typeof known === 'string' && isSame) return known
  const epoch = random.uuid()
  await store.write([
    { statement: 'meta.setFact', parameters: ['epoch', epoch] },
    { statement: 'meta.setFact', parameters: ['incarnation', String(incarnation)] },
    { statement: 'meta.unmarkAll', parameters: [] },
  ])
  if (known !== undefined)
    log.warn('The database is an earlier one: everything is asked from the cloud and told to it again')
  return epoch
}

async function keepConnected(ports: EdgeHubPorts, running: Running, signal: AbortSignal): Promise<void> {
  const { dialer, clock, random, log, nodeName, projectId = DEFAULT_PROJECT_ID, metrics = silentMetrics } = ports
  const headers = { node_id: nodeName, project_id: projectId, ConnectionUse: 'msg', [EPOCH_HEADER]: running.epoch }
  const backoff = new Backoff({ first: FIRST_WAIT, most: LONGEST_WAIT }, random)
  const attempts = metrics.counter({
    name: 'skerry_edgehub_connects_total',
    help: 'Connections to the cloud, by outcome.',
    labels: ['outcome'],
  })
  const gauge = metrics.gauge({ name: 'skerry_edgehub_connected', help: '1 while the cloud is connected.' })
  using _followed = gauge.follow(() => (running.state.session ? 1 : 0))
  const show = showLink(ports, running.scope)
  const takeTwin = (frame: Frame, ended: AbortSignal) => running.downlink.take(frame, ended)
  while (!signal.aborted) {
    const start = clock.monotonic()
    try {
      const link = await dialer.dial(headers, signal)
      attempts.add(1, { outcome: 'connected' })
      show(true, link.isSkerry ? 'connected' : 'connected to a KubeEdge cloud')
      log.info('Connected to the cloud', { skerry: link.isSkerry })
      const reason = await serve(ports, new LinkSession({ ...ports, takeTwin }, link), running, signal)
      show(false, reason)
      log.warn('The link to the cloud ended', { reason })
    } catch (error) {
      if (signal.aborted) break
      attempts.add(1, { outcome: 'failed' })
      const detail = describeError(error)
      if (show(false, detail)) log.warn('The cloud cannot be reached; trying again', { error: detail })
    }
    if (clock.monotonic() - start > GOOD_LINK.milliseconds) backoff.reset()
    await clock.sleep(backoff.next(), signal).catch(() => undefined)
  }
  show(false, 'the edge is stopping')
}

/** Shows the link on the bus and in `skerry status`; true where that is news. `since` is when the link last came or went. */
function showLink({ bus, clock }: EdgeHubPorts, scope: Scope): (connected: boolean, detail: string) => boolean {
  return (connected, detail) => {
    const before = bus.get(links, 'cloud')
    const since = before?.connected === connected ? before.since : clock.now()
    scope.pending(connected ? undefined : `the cloud (${detail})`)
    bus.set(links, 'cloud', { connected, since, detail })
    return before?.connected !== connected || before.detail !== detail
  }
}

/** Everything that happens while one link lasts. Answers why it ended. */
async function serve(
  ports: EdgeHubPorts,
  session: LinkSession,
  { uplink, state }: Running,
  signal: AbortSignal,
): Promise<string> {
  const onAbort = () => session.close('the edge is stopping')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  state.session = session
  const { isSkerry } = session
  const road: Road = {
    isSkerry,
    signal: session.ended,
    confirm: (frame) => session.confirm(frame),
    deliver: (frame) => session.deliver(frame),
  }
  // The keepalive first, then the Node, then its devices.
  const running = session.run()
  const ask = async (frame: Frame) => (await session.ask(frame)).content
  const reporting = runNodeReporter(ports, { ...ports, ask }, session.ended)
  try {
    uplink.connected(road)
    ports.userUplink?.connected(road)
    return await running
  } finally {
    signal.removeEventListener('abort', onAbort)
    state.session = undefined
    uplink.disconnected(road)
    ports.userUplink?.disconnected(road)
    session.close('the edge lets go')
    await reporting
  }
}
