import { type Counter, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError, SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { Backoff, DeadlineError, type Duration, ms, seconds, withDeadline } from '../../../../platform/time/index.ts'
import { type HeaderLists, SERVICE_ERROR_HEADER, type ServiceAnswer } from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import type { Road } from '../../road.ts'
import { ServiceError } from '../service-error.ts'
import { answerOf, frameOf, type LocalCall } from './call-frames.ts'
import { CallOutbox, type CallOutboxPorts, type StoredCall } from './call-outbox.ts'

export interface CloudCallsPorts extends CallOutboxPorts {
  readonly frames: FrameFactory
  readonly log: Logger
}

/** Of one rule, under way at a time. A Skerry cloud remembers more than these, so that it knows what it gets twice. */
const WINDOW = { messages: 32, bytes: 1024 * 1024 }
const RECEIPT_WITHIN = seconds(20)
const REST = { first: ms(500), most: seconds(60) }

/** Calls of local applications to the cloud: while somebody waits, or stored until the cloud has them. */
export class CloudCalls {
  readonly #ports: CloudCallsPorts
  readonly #outbox: CallOutbox
  readonly #count: Counter
  /** Rules whose stored calls are being sent. */
  readonly #lines = new Map<string, Promise<void>>()
  #road: Road | undefined

  constructor(ports: CloudCallsPorts) {
    this.#ports = ports
    this.#outbox = new CallOutbox(ports)
    this.#count = (ports.metrics ?? silentMetrics).counter({
      name: 'skerry_servicebus_cloud_calls_total',
      help: 'Calls of local applications to the cloud, by outcome: answered, stored, sent, repeated, or refused.',
      labels: ['outcome'],
    })
  }

  get waiting(): number {
    return this.#outbox.depth
  }

  async open(): Promise<void> {
    await this.#outbox.open()
  }

  async close(): Promise<void> {
    this.#road = undefined
    await Promise.allSettled(this.#lines.values())
    await this.#outbox.flush().catch((error: unknown) => {
      this.#ports.log.warn('How many calls were dropped could not be noted', { error: describeError(error) })
    })
  }

  connected(road: Road): void {
    this.#road = road
    this.#pump()
  }

  disconnected(road: Road): void {
    if (this.#road === road) this.#road = undefined
  }

  /** The answer of the target, whatever its status; a ServiceError where there is none. At once where the cloud is away. */
  async ask(call: LocalCall, within: Duration, signal: AbortSignal): Promise<ServiceAnswer> {
    const { frames, clock } = this.#ports
    const road = this.#road
    if (!road || road.signal.aborted) {
      throw new ServiceError(
        503,
        'The cloud is not connected: try again, or have the call stored (Prefer: respond-async)',
        {
          code: 'HUB_OFFLINE',
        },
      )
    }
    const frame = frameOf(call, { frames, isSkerry: road.isSkerry, deadlineMs: within.milliseconds })
    if (!frame) throw unknownThere(call)
    try {
      const reply = await withDeadline(clock, within, signal, () => road.ask(frame, within))
      const answer = answerOf(reply, road.isSkerry)
      if (!answer)
        throw new ServiceError(502, 'The cloud answered with what is none', { code: 'HUB_CLOUD_ANSWER_MALFORMED' })
      this.#count.add(1, { outcome: 'answered' })
      return answer
    } catch (error) {
      throw failureOf(error)
    }
  }

  /** Settles with its id when it is on disk; the cloud gets it when it can. */
  async store({ rule, targetUrl, body, ...head }: LocalCall): Promise<string> {
    const id = await this.#outbox.add(
      rule === '' ? targetUrl : rule,
      JSON.stringify({ rule, targetUrl, ...head }),
      body,
    )
    this.#count.add(1, { outcome: 'stored' })
    this.#pump()
    return id
  }

  #pump(): void {
    if (!this.#road || this.#road.signal.aborted) return
    for (const rule of this.#outbox.rules) {
      if (this.#lines.has(rule)) continue
      const line = this.#send(rule).finally(() => {
        this.#lines.delete(rule)
        // What came while the last look was under way.
        if (this.#outbox.rules.includes(rule)) this.#pump()
      })
      this.#lines.set(rule, line)
    }
  }

  /** Everything of one rule, in its order, until nothing is left or the link goes. */
  async #send(rule: string): Promise<void> {
    const backoff = new Backoff(REST, this.#ports.random)
    for (let road = this.#road; road && !road.signal.aborted; road = this.#road) {
      try {
        const batch = await this.#outbox.peek(rule, WINDOW)
        if (batch.length === 0) return
        if (await this.#deliver(batch, road)) backoff.reset()
        else await this.#rest(backoff, road)
      } catch (error) {
        this.#ports.log.debug('Stored calls of local applications could not be sent', {
          rule,
          error: describeError(error),
        })
        await this.#rest(backoff, road)
      }
    }
  }

  /** Whether the cloud answered for all of them, one way or the other. */
  async #deliver(batch: readonly StoredCall[], road: Road): Promise<boolean> {
    const outcomes = await Promise.all(batch.map((stored) => this.#deliverOne(stored, road)))
    const idsOf = (wanted: Outcome) => batch.filter((_stored, at) => outcomes[at] === wanted).map(({ id }) => id)
    const sent = idsOf('sent')
    await this.#outbox.remove(sent)
    this.#count.add(sent.length, { outcome: 'sent' })
    for (const id of idsOf('refused')) {
      await this.#outbox.refuse(id)
      this.#count.add(1, { outcome: 'refused' })
    }
    const again = idsOf('again').length
    if (again > 0) this.#count.add(again, { outcome: 'repeated' })
    return again === 0
  }

  async #deliverOne(stored: StoredCall, road: Road): Promise<Outcome> {
    const { frames, log } = this.#ports
    const call = parseStored(stored)
    const made = call && frameOf(call, { frames, isSkerry: road.isSkerry })
    if (!made) return 'refused'
    const frame = { ...made, header: { ...made.header, msg_id: stored.frameId } }
    try {
      if (!road.isSkerry) {
        // KubeEdge answers with what the target said, or never.
        await road.deliver(frame)
        return 'sent'
      }
      const answer = answerOf(await road.ask(frame, RECEIPT_WITHIN), true)
      const code = answer && headerIn(answer.headers, SERVICE_ERROR_HEADER)
      if (!answer || code === undefined) return 'sent'
      if (isForNow(answer.status)) return 'again'
      log.warn('A stored call of a local application is not wanted by the cloud', { rule: stored.rule, code })
      return 'refused'
    } catch (error) {
      log.debug('A stored call of a local application was not taken by the cloud', { error: describeError(error) })
      return 'again'
    }
  }

  async #rest(backoff: Backoff, { signal }: Road): Promise<void> {
    if (signal.aborted) return
    await this.#ports.clock.sleep(backoff.next(), signal).catch(() => undefined)
  }
}

/** sent: the cloud answers for it now. again: not now. */
type Outcome = 'sent' | 'refused' | 'again'

function isForNow(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}

export function headerIn(headers: HeaderLists, name: string): string | undefined {
  return Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1][0]
}

/** It was written here; a row of another version or a damaged one cannot be sent. */
function parseStored({ head, body }: StoredCall): LocalCall | undefined {
  const parsed: unknown = JSON.parse(head)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { rule, uid, targetUrl, method, headers } = Object.fromEntries(Object.entries(parsed))
  if (typeof rule !== 'string' || typeof targetUrl !== 'string' || typeof method !== 'string') return undefined
  return { rule, targetUrl, method, headers, body, ...(typeof uid === 'string' ? { uid } : {}) }
}

function unknownThere({ targetUrl }: LocalCall): ServiceError {
  return new ServiceError(404, 'No rule of this cloud offers the URL: make a rule with a servicebus source for it', {
    code: 'HUB_TARGET_UNKNOWN',
    fields: { targetURL: targetUrl.slice(0, 200) },
  })
}

function failureOf(error: unknown): unknown {
  if (error instanceof ServiceError) return error
  if (error instanceof DeadlineError) {
    return new ServiceError(504, 'The cloud has not answered in time', { code: 'HUB_CLOUD_SILENT', cause: error })
  }
  if (!(error instanceof SkerryError)) return error
  const status = error.code === 'HUB_REQUESTS_FULL' ? 503 : 502
  return new ServiceError(status, error.message, { code: error.code, fields: error.fields, cause: error })
}
