import type { Clock, Duration } from '../../../platform/time/index.ts'
import type { Pod } from '../pod/pod.ts'
import type { Stop } from './plan.ts'

/** A kubelet's: so long a sidecar has at least. */
const LEAST_SECONDS = 2

/** How long the containers of one pod may take for their end, which they share where the pod ends. */
export class Grace {
  readonly #clock: Pick<Clock, 'monotonic'>
  #endingSince: number | undefined
  /** Of a pod that this node ends by itself; less than its own. */
  #short: Duration | undefined

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  shorten(grace: Duration): void {
    this.#short = grace
  }

  /** The pod runs anew. */
  restart(): void {
    this.#endingSince = undefined
  }

  /** Of one container, from now on. */
  secondsFor(pod: Pod, { reason, graceSeconds }: Stop): number {
    if (graceSeconds !== undefined) return graceSeconds
    if (reason !== 'PodEnds') return pod.spec.terminationGracePeriodSeconds
    this.#endingSince ??= this.#clock.monotonic()
    const passed = (this.#clock.monotonic() - this.#endingSince) / 1000
    const own = pod.deletion?.graceSeconds ?? pod.spec.terminationGracePeriodSeconds
    const grace = Math.min(own, (this.#short?.milliseconds ?? Number.POSITIVE_INFINITY) / 1000)
    return passed < 1 ? grace : Math.max(Math.min(grace, LEAST_SECONDS), Math.ceil(grace - passed))
  }
}
