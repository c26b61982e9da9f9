import { type Counter, type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { describeError, SkerryError } from '../../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import { DeadlineError, type Duration, seconds, withDeadline } from '../../../../platform/time/index.ts'
import {
  type Frame,
  type HeaderLists,
  isTaken,
  MODULES,
  SERVICE_ERROR_HEADER,
  type ServiceAnswer,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import { Outbox, type OutboxPorts } from '../../outbox/outbox.ts'
import { OutboxSender, type Outcome } from '../../outbox/sender.ts'
import type { Road } from '../../road.ts'
import { ServiceError } from '../service-error.ts'
import { answerOf, frameOf, type LocalCall } from './call-frames.ts'
import { STORED_CALLS, type StoredCall } from './call-kind.ts'

export interface CloudCallsPorts extends OutboxPorts {
  readonly frames: FrameFactory
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Of one rule, under way at a time. A Skerry cloud remembers more than these, so that it knows what it gets twice. */
const WINDOW = { messages: 32, bytes: 1024 * 1024 }
const RECEIPT_WITHIN = seconds(20)

/** Calls of local applications to the cloud: while somebody waits, or stored until the cloud has them. */
export class CloudCalls {
  readonly #ports: CloudCallsPorts
  readonly #outbox: Outbox<StoredCall>
  readonly #sender: OutboxSender<StoredCall>
  readonly #count: Counter

  constructor(ports: CloudCallsPorts) {
    this.#ports = ports
    this.#outbox = new Outbox(ports, STORED_CALLS)
    this.#sender = new OutboxSender(
      { ...ports, outbox: this.#outbox },
      {
        what: 'Stored calls of local applications',
        source: MODULES.serviceBus,
        window: () => WINDOW,
        send: (stored, road) => this.#send(stored, road),
        count: (outcome, count) => this.#count.add(count, { outcome: COUNTED_AS[outcome] }),
      },
    )
    const metrics = ports.metrics ?? silentMetrics
    this.#count = metrics.counter({
      name: 'skerry_servicebus_cloud_calls_total',
      help: 'Calls of local applications to the cloud, by outcome: answered, stored, sent, repeated, or refused.',
      labels: ['outcome'],
    })
    const outbox = this.#outbox
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge({ name, help }).follow(read)
    gauge(
      'skerry_servicebus_waiting',
      'Calls of local applications that the cloud has not got yet.',
      () => outbox.depth,
    )
    gauge('skerry_servicebus_waiting_bytes', 'Bytes of them, headers and bodies.', () => outbox.bytes)
    gauge('skerry_servicebus_kept', 'Calls that wait in the cloud, and are kept until done.', () => outbox.kept)
  }

  get waiting(): number {
    return this.#outbox.depth
  }

  async open(): Promise<void> {
    await this.#outbox.open()
  }

  async close(): Promise<void> {
    await this.#sender.close()
    await this.#outbox.flush().catch((error: unknown) => {
      this.#ports.log.warn('How many calls were dropped could not be noted', { error: describeError(error) })
    })
  }

  connected(road: Road): void {
    this.#sender.connected(road)
  }

  disconnected(road: Road): void {
    this.#sender.disconnected(road)
  }

  /** The answer of the target, whatever its status; a ServiceError where there is none. At once where the cloud is away. */
  async ask(call: LocalCall, within: Duration, signal: AbortSignal): Promise<ServiceAnswer> {
    const { frames, clock } = this.#ports
    const { road } = this.#sender
    if (!road) {
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

  /**
   * Settles with its id when it is on disk; the cloud gets it when it can. Rejects when it could not be written, or is larger than
   * all together may be.
   */
  async store({ rule, targetUrl, body, ...rest }: LocalCall): Promise<string> {
    const head = JSON.stringify({ rule, targetUrl, ...rest })
    const bytes = Buffer.byteLength(head) + body.length
    const { maxBytes } = this.#ports.limits
    if (bytes > maxBytes) {
      const fields = { bytes, maxBytes }
      throw new ServiceError(413, 'The call is too large to be stored', { code: 'HUB_CALL_TOO_LARGE', fields })
    }
    const line = rule === '' ? targetUrl : rule
    const id = await this.#outbox.add(line, bytes, [line, head, body])
    this.#count.add(1, { outcome: 'stored' })
    this.#sender.pump()
    return id
  }

  /** The cloud says which stored calls are done. */
  takeDone(frame: Frame): Promise<Frame> {
    return this.#sender.takeDone(frame)
  }

  async #send(stored: StoredCall, road: Road): Promise<Outcome> {
    const { frames, log } = this.#ports
    const call = parseStored(stored)
    const made = call && frameOf(call, { frames, isSkerry: road.isSkerry })
    if (!made) return 'refused'
    const frame = { ...made, header: { ...made.header, msg_id: stored.frameId } }
    if (!road.isSkerry) {
      // KubeEdge answers with what the target said, or never.
      await road.deliver(frame)
      return 'done'
    }
    const receipt = await road.ask(frame, RECEIPT_WITHIN)
    if (isTaken(receipt.content)) return 'taken'
    const answer = answerOf(receipt, true)
    const code = answer && headerIn(answer.headers, SERVICE_ERROR_HEADER)
    if (!answer || code === undefined) return 'done'
    if (isForNow(answer.status)) return 'again'
    log.warn('A stored call of a local application is not wanted by the cloud', { rule: stored.rule, code })
    return 'refused'
  }
}

const COUNTED_AS: Readonly<Record<Outcome, string>> = {
  taken: 'sent',
  done: 'sent',
  refused: 'refused',
  again: 'repeated',
}

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
