import type { Duplex } from 'node:stream'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import type { Module, Scope } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { type Frame, OPERATIONS } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { TunnelTargets } from '../../tunnel/index.ts'
import type { CallRoad, FrameOrigin, Road } from '../road.ts'
import type { TunnelServer } from './services/serve-tunnel.ts'
import type { ServiceLimits } from './services/service-calls.ts'

export interface ServiceBusPorts {
  readonly limits: ServiceLimits
  readonly frames: FrameFactory
  /** Absent: calls come by the hub alone. */
  readonly tunnel?: TunnelTargets | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** HTTP services of this machine for the cloud, and the cloud for applications of this machine. */
export class ServiceBus implements Module, CallRoad {
  readonly name = 'ServiceBus'
  readonly #ports: ServiceBusPorts
  readonly #ignored: (cause: string) => void
  #services: Promise<Services> | undefined

  constructor(ports: ServiceBusPorts) {
    this.#ports = ports
    const ignored = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_edgehub_ignored_total',
      help: 'Messages of the cloud that nothing here serves, by cause.',
      labels: ['cause'],
    })
    this.#ignored = (cause) => ignored.add(1, { cause })
  }

  async start(scope: Scope): Promise<void> {
    const { tunnel } = this.#ports
    scope.defer(async () => {
      const services = await this.#services
      services?.tunnel[Symbol.dispose]()
      this.#services = undefined
    })
    if (tunnel) scope.use(tunnel.serve('servicebus', (stream) => void this.#accept(stream)))
  }

  async take(frame: Frame, origin: FrameOrigin): Promise<Frame | undefined> {
    const { operation = '' } = frame.route
    if (operation === OPERATIONS.start || operation === OPERATIONS.stop) return undefined
    if (!METHODS.has(operation.toUpperCase())) {
      this.#ignored('service-bus')
      return undefined
    }
    const { calls, answerCall } = await this.#load()
    return answerCall(frame, { calls, frames: this.#ports.frames, signal: origin.signal })
  }

  connected(_road: Road): void {}

  disconnected(_road: Road): void {}

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
