import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { countRefusals, keepListening, serveHttp } from '../../../platform/http/index.ts'
import { describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { type Frame, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { TunnelTargets } from '../../tunnel/index.ts'
import { OutboxDrops } from '../outbox/drops.ts'
import type { OutboxLimits } from '../outbox/outbox.ts'
import type { CallRoad, FrameOrigin, Road } from '../road.ts'
import { CALL_DROPS } from './calls/call-kind.ts'
import { Callables } from './calls/callables.ts'
import type { CallerAccess } from './calls/caller.ts'
import { CloudCalls } from './calls/cloud-calls.ts'
import type { LocalCalls } from './calls/local-calls.ts'
import type { TunnelServer } from './services/serve-tunnel.ts'
import type { ServiceLimits } from './services/service-calls.ts'

export interface ServiceBusPorts {
  readonly limits: ServiceLimits & { readonly stored: OutboxLimits }
  /** Absent: applications of this machine cannot call the cloud. */
  readonly listener?: ListenerOptions | undefined
  readonly store: Store
  readonly bus: Bus
  readonly nodeName: string
  readonly frames: FrameFactory
  /** Absent: calls come by the hub alone. */
  readonly tunnel?: TunnelTargets | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface ListenerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly origins: readonly string[]
  readonly maxConcurrent: number
  readonly access: CallerAccess
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** More connections of applications are closed at once. */
const MOST_CONNECTIONS = 256

/** HTTP services of this machine for the cloud, and the cloud for applications of this machine. */
export class ServiceBus implements Module, CallRoad {
  readonly name = 'ServiceBus'
  readonly #ports: ServiceBusPorts
  readonly #ignored: (cause: string) => void
  readonly #drops: OutboxDrops
  readonly #callables: Callables
  readonly #calls: CloudCalls
  #services: Promise<Services> | undefined
  #localCalls: Promise<LocalCalls> | undefined
  #url: string | undefined

  constructor(ports: ServiceBusPorts) {
    this.#ports = ports
    this.#drops = new OutboxDrops(ports, CALL_DROPS)
    this.#callables = new Callables(ports)
    this.#calls = new CloudCalls({ ...ports, limits: ports.limits.stored, drops: this.#drops })
    const ignored = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_ignored_total',
      help: 'Messages of the cloud that nothing here serves, by cause.',
      labels: ['cause'],
    })
    this.#ignored = (cause) => ignored.add(1, { cause })
  }

  async start(scope: Scope): Promise<void> {
    const { tunnel, listener } = this.#ports
    await this.#callables.open()
    await this.#calls.open()
    scope.defer(async () => {
      await this.#calls.close()
      this.#drops[Symbol.dispose]()
      const services = await this.#services
      services?.tunnel[Symbol.dispose]()
      this.#services = undefined
    })
    if (tunnel) scope.use(tunnel.serve('servicebus', (stream) => void this.#accept(stream)))
    if (listener) await this.#listen(listener, scope)
  }

  /** Where applications of this machine call; undefined while nothing listens. */
  get url(): string | undefined {
    return this.#url
  }

  /** Calls that wait for the cloud. */
  get waiting(): number {
    return this.#calls.waiting
  }

  async take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined> {
    const { operation = '', resource = '' } = frame.route
    if (origin.isSkerry && operation === OPERATIONS.done) return this.#calls.takeDone(frame)
    if (operation === OPERATIONS.start || operation === OPERATIONS.stop) return this.#offer(operation, resource)
    if (!METHODS.has(operation.toUpperCase())) {
      this.#ignored('service-bus')
      return undefined
    }
    const { calls, answerCall } = await this.#load()
    return answerCall(frame, { calls, frames: this.#ports.frames, signal: origin.signal })
  }

  connected(road: Road): void {
    if (road.isSkerry) {
      void this.#callables.forgetUrls().catch((error: unknown) => {
        this.#ports.log.warn('Target URLs of another cloud could not be forgotten', { error: describeError(error) })
      })
    }
    this.#calls.connected(road)
  }

  disconnected(road: Road): void {
    this.#calls.disconnected(road)
  }

  /** What a KubeEdge cloud offers to applications, and takes back. It asks for no answer. */
  async #offer(operation: 'start' | 'stop', url: string): Promise<undefined> {
    try {
      if (operation === OPERATIONS.start) await this.#callables.register(url)
      else await this.#callables.unregister(url)
    } catch (error) {
      this.#ignored('service-bus')
      this.#ports.log.warn('A target URL of the cloud was not noted', { operation, error: describeError(error) })
    }
    return undefined
  }

  async #listen(listener: ListenerOptions, scope: Scope): Promise<void> {
    await listener.access.open()
    const handler = async (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => {
      this.#localCalls ??= this.#openLocalCalls(listener)
      await (await this.#localCalls).answer(request, response, signal)
    }
    const onListening = ({ url }: { readonly url: string }) => {
      this.#url = url
    }
    const { host, port } = listener
    const { clock, log, metrics = silentMetrics } = this.#ports
    const onRefused = countRefusals(metrics, 'servicebus')
    const open = () =>
      serveHttp({ at: { host, port }, handler, clock, log, maxConnections: MOST_CONNECTIONS, onRefused })
    const trouble = 'ServiceBus cannot listen for applications of this machine'
    await keepListening({ ...this.#ports, port, open, onListening, trouble }, scope)
    scope.defer(() => {
      this.#url = undefined
    })
  }

  async #openLocalCalls(listener: ListenerOptions): Promise<LocalCalls> {
    const { LocalCalls } = await import('./calls/local-calls.ts')
    return new LocalCalls({ ...listener, calls: this.#calls, callables: this.#callables, log: this.#ports.log })
  }

  async #accept(stream: Duplex): Promise<void> {
    stream.on('error', () => stream.destroy())
    const { tunnel } = await this.#load()
    tunnel.accept(stream)
  }

  /** On the first call: most nodes never get one. */
  #load(): Promise<Services> {
    this.#services ??= this.#open()
    return this.#services
  }

  async #open(): Promise<Services> {
    const { ServiceCalls, serveTunnel, answerCall } = await import('./services/services.ts')
    const calls = new ServiceCalls(this.#ports)
    return { calls, answerCall, tunnel: serveTunnel({ ...this.#ports, calls }) }
  }
}

interface Services {
  readonly calls: import('./services/service-calls.ts').ServiceCalls
  readonly answerCall: typeof import('./services/frame-calls.ts').answerCall
  readonly tunnel: TunnelServer
}
