import type { Outcome, Reading, Results, VisitId } from '../contract/index.ts'
import type { Heard } from './client.ts'
import { readingOf } from './reading.ts'
import type { Session } from './session.ts'
import { settle } from './settle.ts'
import type { Listening } from './subscriptions.ts'
import { filterOf, highestQos, type MqttVisit, payloadOf, qosOf, topicOf } from './visits.ts'

/** Asks devices that take questions, and waits for what they publish then; of the others it tells what they said last. */
export async function readAll(
  session: Session,
  visits: readonly MqttVisit[],
  signal: AbortSignal,
): Promise<Results<Reading>> {
  signal.throwIfAborted()
  if (session.client.gone.aborted) throw session.client.gone.reason
  const results = new Map<VisitId, Outcome<Reading>>()
  const open = visits.filter((visit) => {
    const known = knownOf(session, visit)
    if (known) results.set(visit.id, known)
    return !known
  })
  if (open.length > 0) await new Waiting(session, open, results).run(signal)
  return results
}

/** Publishes the questions for these visits, each once. Returns those that cannot be asked for. */
export function askFor(session: Session, visits: readonly MqttVisit[]) {
  const asked = new Set<string>()
  const failures: { readonly visit: MqttVisit; readonly error: Error }[] = []
  for (const visit of visits) {
    const { getTopic, getPayload } = visit.visitor
    if (getTopic === undefined) continue
    try {
      const topic = topicOf(visit, getTopic)
      const payload = payloadOf(visit, getPayload, { id: session.nextId(), now: session.clock.now() })
      const key = `${topic} ${getPayload}`
      if (asked.has(key)) continue
      asked.add(key)
      session.subscriptions.expectEcho(topic, payload)
      // Whoever waits for the answer has a deadline.
      session.client.publish({ topic, payload, qos: qosOf(visit.visitor), retain: false }).catch(() => undefined)
    } catch (error) {
      failures.push({ visit, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return failures
}

/** What needs no question: absence, a value that is pushed, and what was commanded where the device never says. */
function knownOf(session: Session, { id, deviceId = '', visitor }: MqttVisit): Outcome<Reading> | undefined {
  const watched = session.watched.get(deviceId)
  const away = watched?.presence.away
  if (visitor.topic === undefined) {
    const none: Outcome<Reading> = {
      ok: false,
      error: new Error('the device never says this value: no topic is given'),
    }
    return watched?.commanded.get(id) ?? none
  }
  if (visitor.getTopic === undefined) return watched?.last.get(id)
  return away === undefined ? undefined : { ok: false, error: new Error(away) }
}

/** Visits whose next message is waited for. */
class Waiting {
  readonly #session: Session
  readonly #visits: readonly MqttVisit[]
  readonly #results: Map<VisitId, Outcome<Reading>>
  readonly #pending = new Map<string, MqttVisit[]>()
  readonly #done = Promise.withResolvers<void>()

  constructor(session: Session, visits: readonly MqttVisit[], results: Map<VisitId, Outcome<Reading>>) {
    this.#session = session
    this.#visits = visits
    this.#results = results
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#session
    const open = this.#listen()
    const milliseconds = Math.max(...this.#visits.map(({ device }) => device.timeout))
    const late = () => new Late()
    try {
      this.#check()
      const waited = this.#ask(open).then(() => this.#done.promise)
      await settle(waited, { clock, milliseconds, signals: [signal, client.gone], late })
    } catch (error) {
      if (!(error instanceof Late)) throw error
      this.#giveUp()
    } finally {
      for (const each of open) each[Symbol.dispose]()
    }
  }

  #listen(): readonly Listening[] {
    for (const visit of this.#visits) {
      try {
        const filter = filterOf(visit, visit.visitor.topic ?? '')
        this.#pending.set(filter, [...(this.#pending.get(filter) ?? []), visit])
      } catch (error) {
        this.#fail(visit, error)
      }
    }
    return [...this.#pending].map(([filter, visits]) => {
      const isLive = visits.every(({ visitor }) => visitor.getTopic !== undefined)
      const hear = (heard: Heard) => this.#hear(filter, heard)
      return this.#session.subscriptions.listen(filter, highestQos(visits), hear, isLive)
    })
  }

  /** Nothing is asked before the broker knows where the answers go. */
  async #ask(open: readonly Listening[]): Promise<void> {
    const filters = [...this.#pending.keys()]
    const refusals = await Promise.all(open.map(({ refusal }) => refusal))
    for (const [index, reason] of refusals.entries()) {
      const filter = filters[index]
      if (reason !== undefined && filter !== undefined) this.#failAll(filter, reason)
    }
    const waiting = [...this.#pending.values()].flat()
    for (const { visit, error } of askFor(this.#session, waiting)) this.#fail(visit, error)
    this.#check()
  }

  #hear(filter: string, { message }: Heard): void {
    const pending = this.#pending.get(filter)
    if (!pending) return
    const left = pending.filter((visit) => {
      // What the broker had kept is no answer to a question.
      if (message.isRetained && visit.visitor.getTopic !== undefined) return true
      const outcome = readingOf(message, visit.property.type, visit.visitor)
      if (outcome) this.#results.set(visit.id, outcome)
      return !outcome
    })
    this.#keep(filter, left)
  }

  #fail(visit: MqttVisit, error: unknown): void {
    this.#results.set(visit.id, { ok: false, error: error instanceof Error ? error : new Error(String(error)) })
    for (const [filter, visits] of this.#pending) {
      if (visits.includes(visit))
        this.#keep(
          filter,
          visits.filter((each) => each !== visit),
        )
    }
  }

  #failAll(filter: string, reason: string): void {
    for (const visit of this.#pending.get(filter) ?? []) this.#fail(visit, new Error(reason))
  }

  #keep(filter: string, left: MqttVisit[]): void {
    if (left.length > 0) this.#pending.set(filter, left)
    else this.#pending.delete(filter)
    this.#check()
  }

  #check(): void {
    if (this.#pending.size === 0) this.#done.resolve()
  }

  /** A device of which nothing came at all is taken for gone, until it says anything. */
  #giveUp(): void {
    const silent = [...this.#pending.values()].flat()
    for (const { id, device, visitor } of silent) {
      const what = visitor.getTopic === undefined ? 'the device said nothing' : 'the device did not answer'
      this.#results.set(id, { ok: false, error: new Error(`${what} within ${device.timeout} ms`) })
    }
    const asked = this.#visits.filter(({ visitor }) => visitor.getTopic !== undefined)
    for (const [deviceId, own] of Map.groupBy(asked, (visit) => visit.deviceId ?? '')) {
      if (!own.every((visit) => silent.includes(visit))) continue
      const presence = this.#session.watched.get(deviceId)?.presence
      presence?.miss(`the device did not answer within ${own[0]?.device.timeout} ms`, false)
    }
  }
}

class Late extends Error {
  override readonly name = 'Late'
}
