import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError, UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import {
  Backoff,
  type Clock,
  minutes,
  ms,
  type Random,
  type Rate,
  seconds,
  TokenBucket,
} from '../../../../platform/time/index.ts'
import type { KubeObject } from '../../../../schemas/index.ts'
import { EVENTS, type Kubernetes, reasonOfError, retryAfterOf } from '../../kubernetes/index.ts'
import { digestOf, type EventNote, eventName, newEvent } from './event-object.ts'

export interface EventRecorder {
  /** Never throws and never waits: an Event is a courtesy. Repetitions are counted on the Event that is there. */
  record(about: KubeObject, note: EventNote): void
  /**
   * Records what must be told exactly once: under one id there is never a second Event. Throws UnavailableError while the API
   * cannot take it; what the API refuses is let go and logged.
   */
  recordOnce(about: KubeObject, note: EventNote, id: string, signal: AbortSignal): Promise<void>
  /** Writes until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

export interface EventRecorderPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  /** `skerry-devicecontroller`. */
  readonly component: string
  /** Of all Events together. */
  readonly rate: Rate
}

/** Different Events of one object within a window; what comes beyond them is combined, one Event for each reason. */
const BURST = 10
const REASONS_BOUND = 10
const WINDOW = minutes(5)
/** Repetitions raise a counter, at most one write of an Event in this time. */
const QUIET = minutes(1)
const OBJECTS_BOUND = 10_000
/** Events that wait for their write. */
const WAITING_BOUND = 2000

/** One Event that is there, or will be. */
interface Entry {
  readonly about: KubeObject
  readonly name: string
  note: EventNote
  count: number
  /** Of the Event as the API has it; 0: not yet. */
  written: number
  /** Monotonic ms. */
  writtenAt: number
}
interface Recent {
  since: number
  readonly entries: Map<string, Entry>
}

/** Kubernetes Events (core/v1): a bounded number for each object, at a bounded rate for the API, repetitions counted. */
export function createEventRecorder(ports: EventRecorderPorts): EventRecorder {
  return new Recorder(ports)
}

class Recorder implements EventRecorder {
  readonly #ports: EventRecorderPorts
  readonly #bucket: TokenBucket
  readonly #recents = new Map<string, Recent>()
  /** In the order in which they came. */
  readonly #waiting = new Set<Entry>()
  readonly #count: (outcome: 'written' | 'failed' | 'dropped' | 'combined') => void
  #onWork: (() => void) | undefined

  constructor(ports: EventRecorderPorts) {
    const { metrics = silentMetrics } = ports
    this.#ports = ports
    this.#bucket = new TokenBucket(ports.clock, ports.rate)
    const events = metrics.counter({
      name: 'skerry_devicecontroller_events_total',
      help: 'Kubernetes Events of devices, by what became of them.',
      labels: ['outcome'],
    })
    this.#count = (outcome) => events.add(1, { outcome })
    metrics
      .gauge({ name: 'skerry_devicecontroller_events_waiting', help: 'Kubernetes Events that wait for their write.' })
      .follow(() => this.#waiting.size)
  }

  record(about: KubeObject, note: EventNote): void {
    const entry = this.#entryOf(about, note)
    entry.count++
    this.#waiting.delete(entry)
    this.#waiting.add(entry)
    const [oldest] = this.#waiting
    if (this.#waiting.size > WAITING_BOUND && oldest) {
      this.#waiting.delete(oldest)
      this.#count('dropped')
    }
    this.#onWork?.()
  }

  async recordOnce(about: KubeObject, note: EventNote, id: string, signal: AbortSignal): Promise<void> {
    const { kubernetes, clock, log, component } = this.#ports
    while (this.#bucket.wait > 0) await clock.sleep(ms(this.#bucket.wait), signal)
    this.#bucket.take()
    const event = newEvent(eventName(about, digestOf(id)), about, note, { component, now: stampOf(clock) })
    try {
      await kubernetes.create(EVENTS, about.metadata.namespace ?? 'default', event, signal)
      this.#count('written')
    } catch (error) {
      signal.throwIfAborted()
      if (reasonOfError(error) === 'AlreadyExists') return
      this.#count('failed')
      if (error instanceof UnavailableError) throw error
      log.warn('An Event could not be written', { reason: note.reason, error: describeError(error) })
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports
    const backoff = new Backoff({ first: seconds(1), most: minutes(1) }, random)
    while (!signal.aborted) {
      const entry = this.#next()
      const wait = entry ? this.#bucket.wait : undefined
      if (!entry || wait === undefined) {
        await this.#work(signal)
      } else if (wait > 0) {
        await clock.sleep(ms(wait), signal).catch(() => undefined)
      } else {
        const pause = await this.#write(entry, signal)
        if (pause === undefined) backoff.reset()
        else await clock.sleep(ms(Math.max(pause, backoff.next().milliseconds)), signal).catch(() => undefined)
      }
    }
  }

  /** The first that has something to write now. One that repeats waits until it may say so. */
  #next(): Entry | undefined {
    const quiet = this.#ports.clock.monotonic() - QUIET.milliseconds
    for (const entry of this.#waiting) if (entry.written === 0 || entry.writtenAt <= quiet) return entry
    return undefined
  }

  /** Until there may be something to write. */
  async #work(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { clock } = this.#ports
    let first = Number.POSITIVE_INFINITY
    for (const { writtenAt } of this.#waiting) first = Math.min(first, writtenAt + QUIET.milliseconds)
    using _timer = clock.after(ms(Math.min(first - clock.monotonic(), WINDOW.milliseconds)), resolve)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#onWork = resolve
    await promise
    this.#onWork = undefined
    signal.removeEventListener('abort', onAbort)
  }

  /** How long to wait before the next one, ms, where the API does not take this one now. */
  async #write(entry: Entry, signal: AbortSignal): Promise<number | undefined> {
    const { kubernetes, clock, log, component } = this.#ports
    const { about, name, note, count } = entry
    const { namespace = 'default' } = about.metadata
    this.#waiting.delete(entry)
    this.#bucket.take()
    try {
      if (entry.written === 0) {
        const event = newEvent(name, about, note, { component, now: stampOf(clock) })
        await kubernetes.create(EVENTS, namespace, count === 1 ? event : { ...event, count }, signal)
      } else {
        const body = { count, message: note.message.slice(0, 1000), lastTimestamp: stampOf(clock) }
        await kubernetes.patch(EVENTS, { namespace, name }, body, { type: 'merge' }, signal)
      }
      this.#count('written')
      entry.written = count
      entry.writtenAt = clock.monotonic()
      return undefined
    } catch (error) {
      if (signal.aborted) return undefined
      this.#count('failed')
      if (error instanceof UnavailableError) {
        this.#waiting.add(entry)
        return retryAfterOf(error) ?? 0
      }
      // Gone after its time, or refused: the next one of its kind is a new Event.
      this.#forget(entry)
      log.debug('An Event could not be written', { reason: note.reason, error: describeError(error) })
      return undefined
    }
  }

  #entryOf(about: KubeObject, note: EventNote): Entry {
    const { entries } = this.#recentOf(about)
    const key = JSON.stringify(note)
    const known = entries.get(key)
    if (known) return known
    if (entries.size < BURST) return this.#add(entries, key, about, note)
    this.#count('combined')
    const combined = { ...note, message: `(combined with similar ones) ${note.message}` }
    // By its first one where even the reasons are without end.
    const mutual = entries.size < BURST + REASONS_BOUND ? `reason ${note.reason}` : 'others'
    const entry = entries.get(`reason ${note.reason}`) ?? entries.get(mutual)
    if (!entry) return this.#add(entries, mutual, about, combined)
    entry.note = combined
    return entry
  }

  #add(entries: Map<string, Entry>, key: string, about: KubeObject, note: EventNote): Entry {
    const name = eventName(about, Buffer.from(this.#ports.random.bytes(8)).toString('hex'))
    const entry = { about, name, note, count: 0, written: 0, writtenAt: 0 }
    entries.set(key, entry)
    return entry
  }

  #forget(entry: Entry): void {
    const { entries } = this.#recentOf(entry.about)
    for (const [key, each] of entries) if (each === entry) entries.delete(key)
  }

  #recentOf({ metadata: { uid = '' } }: KubeObject): Recent {
    const { clock } = this.#ports
    const known = this.#recents.get(uid)
    if (known && clock.monotonic() - known.since < WINDOW.milliseconds) return known
    const fresh = { since: clock.monotonic(), entries: new Map<string, Entry>() }
    this.#recents.delete(uid)
    this.#recents.set(uid, fresh)
    const [oldest] = this.#recents.keys()
    if (this.#recents.size > OBJECTS_BOUND && oldest !== undefined) this.#recents.delete(oldest)
    return fresh
  }
}

/** RFC 3339, UTC, whole seconds. */
function stampOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
}
