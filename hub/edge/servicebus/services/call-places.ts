import { Places } from '../../../../platform/lifecycle/index.ts'
import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { ServiceError } from '../service-error.ts'

/**
 * How many calls are under way, of each service and of all. Nobody waits for a place: what finds none is refused at once. The
 * first call of a service always finds one, so that slow services do not shut out others.
 */
export class CallPlaces {
  readonly #most: number
  readonly #places = new Places<LocalServiceConfig>()

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#places.taken
  }

  /** Disposed when the call has ended. */
  take(service: LocalServiceConfig): Disposable {
    const own = this.#places.takenBy(service)
    if (own >= service.maxConcurrent) throw busy(`port ${service.port}`, service.maxConcurrent)
    if (this.taken >= this.#most && own > 0) throw busy('all services together', this.#most)
    return this.#places.take(service)
  }
}

function busy(of: string, most: number): ServiceError {
  return new ServiceError(503, `Too many calls of ${of} are under way`, {
    code: 'HUB_SERVICE_BUSY',
    fields: { of, most },
  })
}
