import { createHash } from 'node:crypto'
import { describeError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, minutes, type Random } from '../../../platform/time/index.ts'
import type { KubeObject } from '../../../schemas/index.ts'
import { EVENTS, type Kubernetes, reasonOfError } from '../kubernetes/index.ts'

export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** CamelCase. */
  readonly reason: string
  readonly message: string
}

export interface EventRecorder {
  /** Never throws and never waits: an Event is a courtesy. Repetitions are counted on the Event that is there. */
  record(about: KubeObject, note: EventNote): void
  /**
   * Records what must be told exactly once: under one id there is never a second Event. Throws UnavailableError while the API
   * cannot take it; what the API refuses is let go and logged.
   */
  recordOnce(about: KubeObject, note: EventNote, id: string, signal: AbortSignal): Promise<void>
}

export interface EventRecorderPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** `skerry-devicecontroller`. */
  readonly component: string
}

/** Different Events of one object within a window; repetitions within it only raise a counter, at most one write a `QUIET`. */
const BURST = 10
const WINDOW = minutes(5)
const QUIET = minutes(1)
const OBJECTS_BOUND = 10_000

interface Written {
  readonly name: string
  count: number
  writtenAt: number
}
interface Recent {
  since: number
  readonly events: Map<string, Written>
}

/** Kubernetes Events (core/v1), rate-limited for each object. */
export function createEventRecorder(ports: EventRecorderPorts): EventRecorder {
  const { kubernetes, clock, random, log, component } = ports
  const recents = new Map<string, Recent>()

  const recentOf = (uid: string): Recent => {
    const known = recents.get(uid)
    if (known && clock.monotonic() - known.since < WINDOW.milliseconds) return known
    const fresh = { since: clock.monotonic(), events: new Map<string, Written>() }
    recents.delete(uid)
    recents.set(uid, fresh)
    const [oldest] = recents.keys()
    if (recents.size > OBJECTS_BOUND && oldest !== undefined) recents.delete(oldest)
    return fresh
  }

  const write = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      const reason = reasonOfError(error)
      log.debug('An Event could not be written', { reason, error: describeError(error) })
    }
  }

  return {
    record(about, note) {
      const { namespace = 'default', name, uid = '' } = about.metadata
      const recent = recentOf(uid)
      const key = createHash('sha256').update(JSON.stringify(note)).digest('base64url')
      const known = recent.events.get(key)
      const now = stampOf(clock)
      if (known) {
        known.count++
        if (clock.monotonic() - known.writtenAt < QUIET.milliseconds) return
        known.writtenAt = clock.monotonic()
        const body = { count: known.count, lastTimestamp: now }
        void write(() => kubernetes.patch(EVENTS, { namespace, name: known.name }, body, { type: 'merge' }))
        return
      }
      if (recent.events.size >= BURST) return
      const written = {
        name: `${name.slice(0, 200)}.${Buffer.from(random.bytes(8)).toString('hex')}`,
        count: 1,
        writtenAt: clock.monotonic(),
      }
      recent.events.set(key, written)
      const event = newEvent(written.name, about, note, now)
      void write(() => kubernetes.create(EVENTS, namespace, event))
    },
    async recordOnce(about, note, id, signal) {
      const { namespace = 'default', name } = about.metadata
      const digest = createHash('sha256').update(id).digest('hex').slice(0, 16)
      const event = newEvent(`${name.slice(0, 200)}.${digest}`, about, note, stampOf(clock))
      try {
        await kubernetes.create(EVENTS, namespace, event, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (reasonOfError(error) === 'AlreadyExists') return
        if (error instanceof UnavailableError) throw error
        log.warn('An Event could not be written', { reason: note.reason, error: describeError(error) })
      }
    },
  }

  function newEvent(name: string, about: KubeObject, note: EventNote, now: string): object {
    const { namespace = 'default', uid = '' } = about.metadata
    return {
      metadata: { name, namespace },
      involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name: about.metadata.name, namespace, uid },
      ...note,
      message: note.message.slice(0, 1000),
      source: { component },
      reportingComponent: component,
      reportingInstance: component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    }
  }
}

/** RFC 3339, UTC, whole seconds. */
function stampOf(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
}
