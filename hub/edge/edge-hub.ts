import type { Bus } from '../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../platform/health/index.ts'
import { type Module, type Scope, UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import type { Clock, Duration, Random } from '../../platform/time/index.ts'
import {
  DEFAULT_PROJECT_ID,
  EPOCH_HEADER,
  links,
  objectChanges,
  type RoadStatus,
  requestToken,
  SERVICES_HEADER,
  SERVICES_KEPT,
} from '../../schemas/index.ts'
import type { FrameFactory, Link, LinkDialer } from '../link/index.ts'
import { ApplicationUplink } from './applications/application-uplink.ts'
import type { Applications } from './applications/applications.ts'
import type { MetaManager } from './meta/meta-manager.ts'
import { followNodeServices } from './meta/node-services.ts'
import { createObjectDigest } from './meta/object-digest.ts'
import { serveObjects } from './meta/serve-objects.ts'
import { Tokens } from './meta/tokens.ts'
import type { MachineFacts } from './node/machine.ts'
import type { NodeSelf } from './node/node-self.ts'
import { PodUplink } from './pods/pod-uplink.ts'
import type { CallRoad, UserRoad } from './road.ts'
import type { CloudRequests } from './session/cloud-requests.ts'
import { isAnotherCloud, openEpoch } from './session/epochs.ts'
import { keepConnected } from './session/keep-connected.ts'
import { LinkSession } from './session/link-session.ts'
import { serveLink } from './session/serve-link.ts'
import { serveWrites } from './session/serve-writes.ts'
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
  /** What the node says of itself; default: that it is connected. */
  readonly node?: NodeSelf
  /** Without `node`: what it says of the machine. Default: this machine. */
  readonly facts?: () => MachineFacts
  /** Between two attempts to connect. Default 30 s. */
  readonly longestPause?: Duration
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** Absent: MQTT clients and the cloud cannot speak with each other. */
  readonly userUplink?: UserRoad
  /** Absent: calls of local services get no answer. */
  readonly serviceBus?: CallRoad
  /** The cloud is asked for the services of the namespaces of pods of this node. Default: false. */
  readonly keepsServices?: boolean
}

export interface EdgeHub extends Module, CloudRequests {
  /** Closes the link, so that it is made anew (with a rotated certificate, say). */
  reconnect(reason: string): void
  /** The Kubernetes API behind the cloud, for callers on this node. */
  readonly applications: Applications
  /** How it is now, for people. */
  status(): RoadStatus
}

interface HubState {
  session: LinkSession | undefined
  lastReceipt: number | undefined
}

/** EdgeHub: the road to the cloud. Its start never waits for the cloud, and it never gives up. */
export function createEdgeHub(ports: EdgeHubPorts): EdgeHub {
  const { frames, bus, clock, metrics = silentMetrics } = ports
  const state: HubState = { session: undefined, lastReceipt: undefined }
  const connected = (): LinkSession => {
    if (state.session) return state.session
    throw new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
  }
  const cloud: CloudRequests = {
    get isConnected() {
      return state.session !== undefined
    },
    ask: async (route, content) => connected().ask(frames.make(route, content)),
    acknowledge: async (answer) => connected().send(frames.reply(answer, 'OK')),
    tell: async (route, content) => connected().send(frames.make(route, content)),
  }
  const twins = new TwinUplink(ports)
  const pods = new PodUplink({ ...ports, cloud })
  const digest = createObjectDigest(ports)
  const applications = new ApplicationUplink(ports)
  metrics
    .gauge({ name: 'skerry_edgehub_connected', help: '1 while the cloud is connected.' })
    .follow(() => (state.session ? 1 : 0))
  metrics
    .gauge({ name: 'skerry_edgehub_requests', help: 'Messages to the cloud that wait for their answer.' })
    .follow(() => state.session?.requests ?? 0)
  return Object.assign(cloud, {
    name: 'EdgeHub',
    applications,
    reconnect: (reason: string) => state.session?.close(reason),
    status: () => roadStatus(ports, { state, twins, pods }),
    async start(scope: Scope) {
      const epoch = await openEpoch(ports)
      await twins.start(scope)
      pods.start(scope)
      await serveBus({ ...ports, cloud }, scope)
      const services = followNodeServices(ports)
      scope.defer(() => services[Symbol.dispose]())
      const downlink = new TwinDownlink(ports, (id) => twins.resend(id))
      bus.set(links, 'cloud', { connected: false, since: clock.now(), detail: 'not connected yet' })
      const serve = (signal: AbortSignal) => async (link: Link) => {
        if (await isAnotherCloud(link.cloudEpoch, ports)) {
          twins.forgetConfirmed()
          pods.forgetConfirmed()
        }
        const session = new LinkSession(
          {
            ...ports,
            takeTwin: (frame, ended) => downlink.take(frame, ended),
            takeUser: async (frame, origin) => ports.userUplink?.take(frame, origin),
            takeCall: async (frame, origin) => ports.serviceBus?.take(frame, origin),
            takeApplication: (frame) => applications.take(frame),
            onApplied: (frame) => applications.applied(frame),
            onReceipt: () => {
              state.lastReceipt = clock.now()
            },
          },
          link,
        )
        state.session = session
        const others = [ports.userUplink, ports.serviceBus].filter((each) => each !== undefined)
        const users = [digest, services, pods, twins, applications, ...others]
        try {
          return await serveLink(ports, { session, users }, signal)
        } finally {
          state.session = undefined
        }
      }
      const headers = headersOf(ports, epoch)
      scope.run((signal) => keepConnected({ ...ports, headers, scope }, serve(signal), signal))
    },
  })
}

function headersOf({ nodeName, projectId = DEFAULT_PROJECT_ID, keepsServices = false }: EdgeHubPorts, epoch: string) {
  const services = keepsServices ? { [SERVICES_HEADER]: SERVICES_KEPT } : {}
  return { node_id: nodeName, project_id: projectId, ConnectionUse: 'msg', [EPOCH_HEADER]: epoch, ...services }
}

/** What others on the bus ask of the road. */
async function serveBus(ports: EdgeHubPorts & { readonly cloud: CloudRequests }, scope: Scope): Promise<void> {
  const { bus } = ports
  const tokens = new Tokens(ports)
  await tokens.open()
  serveObjects(ports, scope)
  serveWrites(ports, scope)
  scope.use(bus.serve(requestToken, (request) => tokens.token(request)))
  scope.use(
    bus.subscribe(objectChanges, ({ resource, change }) => {
      if (change === 'removed') void tokens.forget(resource)
    }),
  )
}

function roadStatus(
  { bus, meta, clock, userUplink }: EdgeHubPorts,
  { state, twins, pods }: { readonly state: HubState; readonly twins: TwinUplink; readonly pods: PodUplink },
): RoadStatus {
  const { session, lastReceipt } = state
  return {
    ...(bus.get(links, 'cloud') ?? { connected: false, since: clock.now(), detail: 'not started' }),
    ...(session ? { peer: session.isSkerry ? 'skerry' : 'kubeedge' } : {}),
    ...(lastReceipt === undefined ? {} : { lastReceipt }),
    requests: session?.requests ?? 0,
    twinsWaiting: twins.depth,
    podsWaiting: pods.depth,
    userMessages: userUplink?.status ?? { waiting: 0, bytes: 0, kept: 0, dropped: {} },
    objects: meta.size,
    refused: meta.refused,
  }
}
