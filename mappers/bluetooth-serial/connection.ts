import {
  DeviceSilentError,
  type MapperContext,
  type Outcome,
  type Reading,
  type Report,
  type VisitId,
} from '../contract/index.ts'
import { render } from './codec/template.ts'
import type { SerialDevice } from './device-config.ts'
import { Dialogue } from './dialogue.ts'
import {
  type Exchange,
  type MatchedVisit,
  matched,
  planExchanges,
  type SerialOrder,
  type SerialVisit,
} from './exchanges.ts'
import { showBytes } from './framing/bytes.ts'
import { encodeFrame } from './framing/content.ts'
import type { FrameRules } from './framing/framing.ts'
import type { Line } from './line.ts'
import { onAbort } from './on-abort.ts'
import { failed, readingOf, refusedBy } from './outcome.ts'
import { type Carried, cameInstead, Silence } from './silence.ts'
import { Watch } from './watch.ts'

/** After so many requests to one device, while not a single byte came from anybody, the line itself is not believed any longer. */
const MOST_SILENT = 5
/** A device that leaves so many requests of one call unanswered, and answers none, is silent. */
const MOST_UNANSWERED = 2
/** Frames that came by themselves; of different kinds, so that no device has as many. */
const MOST_KEPT = 1000

/** A line, and what its devices have sent by themselves since it is open. */
export class SerialConnection implements AsyncDisposable {
  readonly #line: Line
  readonly #dialogue: Dialogue
  readonly #clock: MapperContext['clock']
  /** Last frames of what is not asked for, and when they came. */
  readonly #latest = new Map<string, { readonly payload: Buffer; readonly at: number }>()
  /** Requests since the last byte, by address. */
  readonly #silent = new Map<string, number>()

  constructor(line: Line, context: Pick<MapperContext, 'clock'>) {
    this.#line = line
    this.#clock = context.clock
    this.#dialogue = new Dialogue(line, context.clock)
  }

  async read(visits: readonly SerialVisit[], signal: AbortSignal): Promise<Map<VisitId, Outcome<Reading>>> {
    const results = new Map<VisitId, Outcome<Reading>>()
    const asked: SerialVisit[] = []
    for (const visit of visits) {
      if (visit.visitor.request) asked.push(visit)
      else results.set(visit.id, this.#toldLast(visit))
    }
    const silence = new Silence()
    const framing = asked[0]?.device.framing
    const before = framing && this.#carried(framing)
    for (const exchange of planned(asked, results)) {
      const isAnswered = await this.#ask(exchange, results, signal)
      silence.note(isAnswered)
      if (silence.isOver(MOST_UNANSWERED)) break
    }
    if (framing && before && silence.isOver(1)) {
      throw new DeviceSilentError(`${silence.message}${cameInstead(before, this.#carried(framing))}`)
    }
    return results
  }

  async write(orders: readonly SerialOrder[], signal: AbortSignal): Promise<Map<VisitId, Outcome<void>>> {
    const results = new Map<VisitId, Outcome<void>>()
    const silence = new Silence()
    for (const order of orders) {
      const outcome = await this.#set(order, signal, silence)
      results.set(order.id, outcome)
    }
    if (silence.isOver(1) && results.size === silence.unanswered) throw new DeviceSilentError(silence.message)
    return results
  }

  /** Until the signal aborts; rejects when the line is lost. */
  async watch(visits: readonly SerialVisit[], report: Report, signal: AbortSignal): Promise<void> {
    const told = visits.filter(({ visitor }) => !visitor.request)
    const [first] = told
    const tell = (each: MatchedVisit, payload: Buffer) => {
      this.#keep(each.key, payload)
      report(each.visit.id, readingOf(payload, each.visit))
    }
    const options = { line: this.#line, clock: this.#clock, report: tell, presence: report.presence }
    using _watch = first ? new Watch(told.map(matched), first.device, options) : undefined
    const { promise: over, resolve, reject } = Promise.withResolvers<void>()
    using _end = onAbort([signal], () => resolve())
    using _loss = onAbort([this.#line.lost], reject)
    await over
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#line[Symbol.asyncDispose]()
  }

  /** What came by itself is told again as old as it is. */
  #toldLast(visit: SerialVisit): Outcome<Reading> {
    const last = this.#latest.get(matched(visit).key)
    if (!last) return failed('the device has not sent this value yet')
    const outcome = readingOf(last.payload, visit)
    return outcome.ok ? { ok: true, value: { ...outcome.value, sourceTime: last.at } } : outcome
  }

  #keep(key: string, payload: Buffer): void {
    this.#latest.delete(key)
    this.#latest.set(key, { payload, at: this.#clock.now() })
    const [oldest] = this.#latest.keys()
    if (this.#latest.size > MOST_KEPT && oldest !== undefined) this.#latest.delete(oldest)
  }

  /** False where nothing came. */
  async #ask(exchange: Exchange, results: Map<VisitId, Outcome<Reading>>, signal: AbortSignal): Promise<boolean> {
    const { device, frame } = exchange
    const before = this.#carried(device.framing)
    let open: readonly MatchedVisit[] = exchange.visits
    let isAnswered = false
    const take = (payload: Buffer): 'taken' | 'done' | 'other' => {
      const refused = device.refuse.some((no) => payload.subarray(0, no.length).equals(no))
      const mine = refused ? open : open.filter((each) => each.matches(payload))
      if (mine.length === 0) return 'other'
      isAnswered = true
      for (const { visit } of mine) {
        results.set(visit.id, refused ? refusedBy(payload) : readingOf(payload, visit))
      }
      open = open.filter((each) => !mine.includes(each))
      return open.length === 0 ? 'done' : 'taken'
    }
    for (let attempt = 0; attempt <= device.retries && !isAnswered; attempt++) {
      const received = this.#line.received
      await this.#dialogue.exchange(device, frame, take, signal)
      this.#noteSilence(device, this.#line.received > received)
    }
    const error = new Error(
      isAnswered
        ? 'no answer had this value'
        : `no answer to ${showBytes(frame)} within ${device.timeout} ms${cameInstead(before, this.#carried(device.framing))}`,
    )
    for (const { visit } of open) results.set(visit.id, { ok: false, error })
    return isAnswered
  }

  async #set(order: SerialOrder, signal: AbortSignal, silence: Silence): Promise<Outcome<void>> {
    const { device, visitor, value } = order
    const filling = { ...visitor.spelling, address: device.address, value }
    if (!visitor.write) return failed('the property has no write: it cannot be set')
    let frame: Buffer
    let wanted: Buffer | undefined
    try {
      frame = encodeFrame(render(visitor.write, filling), device.requestFraming)
      wanted = visitor.ack && render(visitor.ack, filling)
    } catch (error) {
      return failed(error)
    }
    if (!wanted) {
      await this.#dialogue.tell(device, frame, signal)
      return { ok: true, value: undefined }
    }
    const ack = wanted
    let outcome: Outcome<void> | undefined
    const before = this.#carried(device.framing)
    const received = this.#line.received
    await this.#dialogue.exchange(
      device,
      frame,
      (payload) => {
        if (device.refuse.some((no) => payload.subarray(0, no.length).equals(no))) outcome = refusedBy(payload)
        else if (payload.subarray(0, ack.length).equals(ack)) outcome = { ok: true, value: undefined }
        return outcome ? 'done' : 'other'
      },
      signal,
    )
    this.#noteSilence(device, this.#line.received > received)
    silence.note(outcome !== undefined)
    const instead = cameInstead(before, this.#carried(device.framing))
    return outcome ?? failed(`${showBytes(frame)} was not acknowledged within ${device.timeout} ms${instead}`)
  }

  #carried(framing: FrameRules): Carried {
    return { ...this.#line.counts(framing), bytes: this.#line.received }
  }

  /** One dead device among others says nothing of the line; nor do several, as long as each is asked less often. */
  #noteSilence({ address = '' }: SerialDevice, isHeard: boolean): void {
    if (isHeard) {
      this.#silent.clear()
      return
    }
    const count = (this.#silent.get(address) ?? 0) + 1
    this.#silent.set(address, count)
    if (count >= MOST_SILENT) throw new Error(`not a byte came in answer to ${count} requests: the port is opened anew`)
  }
}

/** A request that cannot be made is the failure of its visits. */
function planned(visits: readonly SerialVisit[], results: Map<VisitId, Outcome<Reading>>): readonly Exchange[] {
  try {
    return planExchanges(visits)
  } catch {
    // One of them: each by itself, so that the others are asked.
    return visits.flatMap((visit) => {
      try {
        return planExchanges([visit])
      } catch (error) {
        results.set(visit.id, failed(error))
        return []
      }
    })
  }
}
