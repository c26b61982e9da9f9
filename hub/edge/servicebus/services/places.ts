import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { ServiceError } from '../service-error.ts'

/**
 * How many calls are under way, of each service and of all. Nobody waits for a place: what finds none is refused at once. The
 * first call of a service always finds one, so that slow services do not shut out others.
 */
export class Places {
  readonly #most: number
  readonly #taken = new Map<LocalServiceConfig, number>()
  #total = 0

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#total
  }

  /** Disposed once, when the call has ended. */
  take(service: LocalServiceConfig): Disposable {
    const own = this.#taken.get(service) ?? 0
    if (own >= service.maxConcurrent) throw busy(`port ${service.port}`, service.maxConcurrent)
    if (this.#total >= this.#most && own > 0) throw busy('all services together', this.#most)
    this.#taken.set(service, own + 1)
    this.#total++
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#total--
        this.#taken.set(service, (this.#taken.get(service) ?? 1) - 1)
      },
    }
  }
}

function busy(of: string, most: number): ServiceError {
  return new ServiceError(503, `Too many calls of ${of} are under way`, {
    code: 'HUB_SERVICE_BUSY',
    fields: { of, most },
  })
}
