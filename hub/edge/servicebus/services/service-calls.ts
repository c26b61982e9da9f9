import { type Counter, type Histogram, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { type Clock, ms } from '../../../../platform/time/index.ts'
import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { ServiceError } from '../service-error.ts'
import { AllowedServices, type CallTarget } from './allowed-services.ts'
import { CallPlaces } from './call-places.ts'
import { callService, type ServiceCall, type ServiceResponse } from './call-service.ts'
import type { RawHeaders } from './end-to-end.ts'

export interface ServiceLimits {
  readonly services: readonly LocalServiceConfig[]
  readonly maxConcurrent: number
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
}

export interface ServiceCallsPorts {
  readonly limits: ServiceLimits
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

export interface CallOfService extends CallTarget {
  readonly headers: RawHeaders
  readonly body: ServiceCall['body']
  /** What its caller still waits. */
  readonly deadlineMs?: number | undefined
  /** Where less than the configured fits. */
  readonly maxAnswerBytes?: number
}

/** Calls of local services, from wherever they come: what is allowed, within its limits, counted. */
export class ServiceCalls {
  readonly #ports: ServiceCallsPorts
  readonly #allowed: AllowedServices
  readonly #places: CallPlaces
  readonly #outcomes: Counter
  readonly #seconds: Histogram

  constructor(ports: ServiceCallsPorts) {
    const { limits, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#allowed = new AllowedServices(limits.services)
    this.#places = new CallPlaces(limits.maxConcurrent)
    this.#outcomes = metrics.counter({
      name: 'skerry_servicebus_calls_total',
      help: 'Calls of local services by the cloud, by outcome: answered, or the code of the error.',
      labels: ['outcome'],
    })
    this.#seconds = metrics.histogram({
      name: 'skerry_servicebus_call_seconds',
      help: 'How long calls of local services took, their answers included.',
    })
    metrics
      .gauge({ name: 'skerry_servicebus_calls', help: 'Calls of local services that are under way.' })
      .follow(() => this.#places.taken)
  }

  /** As `callService`; rejects with a ServiceError also for what is not allowed, or too much. */
  async call(
    call: CallOfService,
    signal: AbortSignal,
    receive: (response: ServiceResponse) => Promise<void>,
  ): Promise<void> {
    const { clock, log } = this.#ports
    const { port, method, path } = call
    const startedMs = clock.monotonic()
    try {
      const service = this.#allowed.find(call)
      using _place = this.#places.take(service)
      await callService(this.#boundedCall(call, service), { clock, signal }, receive)
      this.#outcomes.add(1, { outcome: 'answered' })
    } catch (error) {
      const isLeft = !(error instanceof ServiceError) && signal.aborted
      const outcome = isLeft ? 'abandoned' : error instanceof SkerryError ? error.code : 'HUB_SERVICE_FAILED'
      this.#outcomes.add(1, { outcome })
      if (!isLeft) log.debug('A call of a local service failed', { port, method, path: path.split('?')[0], error })
      throw error
    } finally {
      this.#seconds.observe((clock.monotonic() - startedMs) / 1000)
    }
  }

  #boundedCall({ deadlineMs, ...call }: CallOfService, service: LocalServiceConfig): ServiceCall {
    const { maxRequestBytes, maxAnswerBytes } = this.#ports.limits
    const within = Math.min(service.timeoutSeconds * 1000, deadlineMs ?? Number.POSITIVE_INFINITY)
    return {
      ...{ service, method: call.method, path: call.path, headers: call.headers, body: call.body },
      within: ms(within),
      maxRequestBytes,
      maxAnswerBytes: Math.min(maxAnswerBytes, call.maxAnswerBytes ?? maxAnswerBytes),
    }
  }
}
