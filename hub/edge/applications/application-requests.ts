import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Application, Frame, FrameRoute, Json } from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { Road } from '../road.ts'
import { APPLICATION_ROUTE, contentOfApplication } from './application-frames.ts'

export interface ApplicationRequestPorts {
  readonly frames: FrameFactory
  readonly clock: Clock
  readonly metrics?: Metrics
}

/** As KubeEdge waits. */
const DEADLINE = seconds(10)
/** A cloud that never answers, because its DynamicController is off, costs one caller his time, and the others nothing. */
const SILENCE = seconds(30)
const MOST_UNDER_WAY = 64
const MOST_WAITING = 256

/** Applications on their way to the cloud and back: bounded, counted, each within its deadline. */
export class ApplicationRequests {
  readonly #ports: ApplicationRequestPorts
  readonly #outcomes: Counter
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #road: Road | undefined
  #underWay = 0
  /** Monotonic ms. */
  #silentUntil = Number.NEGATIVE_INFINITY

  constructor(ports: ApplicationRequestPorts) {
    this.#ports = ports
    const { metrics = silentMetrics } = ports
    this.#outcomes = metrics.counter({
      name: 'skerry_applications_total',
      help: 'Requests to the Kubernetes API behind the cloud, by outcome; silent: the cloud left an earlier one without an answer.',
      labels: ['outcome'],
    })
    metrics
      .gauge({
        name: 'skerry_applications_waiting',
        help: 'Requests to the Kubernetes API behind the cloud without an answer.',
      })
      .follow(() => this.#underWay + this.#waiting.length)
  }

  get road(): Road | undefined {
    return this.#road
  }

  set road(road: Road | undefined) {
    this.#road = road
    this.#silentUntil = Number.NEGATIVE_INFINITY
  }

  async ask(application: (isSkerry: boolean) => Application, signal: AbortSignal): Promise<Json> {
    const content = (isSkerry: boolean) => contentOfApplication(application(isSkerry))
    return (await this.tell(APPLICATION_ROUTE, content, signal)).content
  }

  async tell(route: FrameRoute, content: (isSkerry: boolean) => Json, signal: AbortSignal): Promise<Frame> {
    try {
      const answer = await this.#tell(route, content, signal)
      this.#outcomes.add(1, { outcome: 'answered' })
      return answer
    } catch (error) {
      this.#outcomes.add(1, { outcome: outcomeOf(error) })
      throw error
    }
  }

  async #tell(route: FrameRoute, content: (isSkerry: boolean) => Json, signal: AbortSignal): Promise<Frame> {
    const { clock, frames } = this.#ports
    signal.throwIfAborted()
    if (!this.#road) throw offline()
    if (clock.monotonic() < this.#silentUntil) throw silent()
    if (this.#waiting.length >= MOST_WAITING) throw full()
    return withDeadline(clock, DEADLINE, signal, async (limited) => {
      using _place = await this.#enter(limited)
      const road = this.#road
      if (!road) throw offline()
      try {
        const frame = frames.make(route, content(road.isSkerry))
        return await withDeadline(clock, DEADLINE, limited, () => road.ask(frame))
      } finally {
        if (limited.reason instanceof DeadlineError && road === this.#road && !road.isSkerry) {
          this.#silentUntil = clock.monotonic() + SILENCE.milliseconds
        }
      }
    })
  }

  async #enter(signal: AbortSignal): Promise<Disposable> {
    if (this.#underWay >= MOST_UNDER_WAY) {
      const turn = Promise.withResolvers<void>()
      const onAbort = () => {
        const at = this.#waiting.indexOf(turn)
        if (at >= 0) this.#waiting.splice(at, 1)
        turn.reject(signal.reason)
      }
      this.#waiting.push(turn)
      signal.addEventListener('abort', onAbort, { once: true })
      await turn.promise
      signal.removeEventListener('abort', onAbort)
    } else {
      this.#underWay++
    }
    return {
      // The place goes to who waits next.
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift()
        if (next) next.resolve()
        else this.#underWay--
      },
    }
  }
}

export function offline(): UnavailableError {
  return new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
}

function silent(): UnavailableError {
  return new UnavailableError(
    'The cloud does not answer requests to the Kubernetes API: is its DynamicController on?',
    {
      code: 'HUB_APPLICATIONS_SILENT',
    },
  )
}

function full(): UnavailableError {
  return new UnavailableError('Too many requests wait for the Kubernetes API behind the cloud', {
    code: 'HUB_APPLICATIONS_FULL',
  })
}

const OUTCOMES: Readonly<Record<string, string>> = {
  HUB_OFFLINE: 'offline',
  HUB_LINK_ENDED: 'offline',
  HUB_APPLICATIONS_SILENT: 'silent',
  HUB_APPLICATIONS_FULL: 'full',
  HUB_REQUEST_FAILED: 'refused',
}

function outcomeOf(error: unknown): string {
  if (error instanceof DeadlineError) return 'late'
  return (error instanceof UnavailableError ? OUTCOMES[error.code] : undefined) ?? 'abandoned'
}
