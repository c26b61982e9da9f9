import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  type Duration,
  minutes,
  ms,
  type Random,
  seconds,
  TokenBucket,
} from '../../../platform/time/index.ts'
import { links, type ObjectWrite, writeObject } from '../../../schemas/index.ts'
import { Correlation, type Entry } from './correlation.ts'
import { eventObject, repetition } from './event-object.ts'
import { PodAllowance } from './pod-allowance.ts'
import type { EventSubject, PodEvent, PodEvents } from './pod-events.ts'

export interface PodEventsPorts {
  readonly bus: Bus
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Sends until the signal aborts. */
export interface PodEventSender extends PodEvents {
  run(signal: AbortSignal): Promise<void>
}

/** Events that wait for the cloud. */
const WAITING_BOUND = 256
/** What a cloud of Skerry takes of one node is 100 at once and 2 a second; what is beyond that it drops. */
const PACE = { burst: 80, perSecond: 2 }
const DEADLINE = seconds(30)
/** Nobody tells of a change of the link while none is known. */
const LOOK_AGAIN = minutes(1)

export function createPodEvents(ports: PodEventsPorts): PodEventSender {
  return new Sender(ports)
}

type Outcome = 'sent' | 'refused' | 'dropped' | 'withheld'

class Sender implements PodEventSender {
  readonly #ports: PodEventsPorts
  readonly #correlation: Correlation
  readonly #allowance: PodAllowance
  readonly #pace: TokenBucket
  /** In the order in which they happened last. */
  readonly #waiting = new Set<Entry>()
  readonly #count: (outcome: Outcome) => void
  #onWork: (() => void) | undefined

  constructor(ports: PodEventsPorts) {
    const { clock, metrics = silentMetrics } = ports
    this.#ports = ports
    this.#correlation = new Correlation(ports)
    this.#allowance = new PodAllowance(clock)
    this.#pace = new TokenBucket(clock, PACE)
    const events = metrics.counter({
      name: 'skerry_edged_events_total',
      help: 'Events of pods, by what became of them; dropped: too many waited for the cloud; withheld: too many of one pod.',
      labels: ['outcome'],
    })
    this.#count = (outcome) => events.add(1, { outcome })
    metrics
      .gauge({ name: 'skerry_edged_events_waiting', help: 'Events of pods that wait for the cloud.' })
      .follow(() => this.#waiting.size)
  }

  tell(pod: EventSubject, event: PodEvent): void {
    const entry = this.#correlation.observe(pod, event)
    // One that still waits is told with its new count, at no cost.
    if (!this.#waiting.delete(entry) && !this.#allowance.take(pod.uid)) return void this.#count('withheld')
    this.#waiting.add(entry)
    const [oldest] = this.#waiting
    if (this.#waiting.size > WAITING_BOUND && oldest) {
      this.#waiting.delete(oldest)
      this.#count('dropped')
    }
    this.#onWork?.()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock, random } = this.#ports
    const backoff = new Backoff({ first: seconds(1), most: minutes(1) }, random)
    using _link = bus.watch(links, ({ value }) => {
      if (value?.connected) this.#onWork?.()
    })
    while (!signal.aborted) {
      const [entry] = this.#waiting
      if (!entry || bus.get(links, 'cloud')?.connected === false) {
        await this.#news(LOOK_AGAIN, signal)
      } else if (this.#pace.wait > 0) {
        await clock.sleep(ms(this.#pace.wait), signal).catch(() => undefined)
      } else if (await this.#send(entry, signal)) {
        backoff.reset()
      } else {
        await this.#news(backoff.next(), signal)
      }
    }
  }

  /** Until there is something new, at the latest after the time. */
  async #news(wait: Duration, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _timer = this.#ports.clock.after(wait, resolve)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#onWork = resolve
    await promise
    this.#onWork = undefined
    signal.removeEventListener('abort', onAbort)
  }

  /** False where it has to wait. */
  async #send(entry: Entry, signal: AbortSignal): Promise<boolean> {
    const { bus, log } = this.#ports
    this.#waiting.delete(entry)
    try {
      await bus.request(writeObject, this.#writeOf(entry), { deadline: DEADLINE, signal })
    } catch (error) {
      if (signal.aborted) return true
      if (!(error instanceof RefusedError)) {
        this.#putBack(entry)
        return false
      }
      // Its namespace may be gone.
      this.#correlation.forget(entry)
      this.#count('refused')
      log.debug('An Event of a pod was refused', { reason: entry.event.reason, error: describeError(error) })
      return true
    }
    this.#pace.take()
    entry.isSent = true
    this.#count('sent')
    return true
  }

  #writeOf(entry: Entry): ObjectWrite {
    const { pod, event, name, isSent } = entry
    const object = eventObject(pod, event, entry, this.#ports.nodeName)
    const resource = `${pod.namespace}/event/${name}`
    if (!isSent) return { operation: 'insert', resource, content: object }
    // A cloud that has lost the Event, which lives for an hour in the API, makes it of the object.
    const content = { event: object, patchData: JSON.stringify(repetition(event, entry)) }
    return { operation: 'patch', resource, content }
  }

  /** It was the first; what is the same was told again meanwhile, or there is no room any more. */
  #putBack(entry: Entry): void {
    if (this.#waiting.has(entry)) return
    if (this.#waiting.size >= WAITING_BOUND) return void this.#count('dropped')
    const others = [...this.#waiting]
    this.#waiting.clear()
    for (const each of [entry, ...others]) this.#waiting.add(each)
  }
}
