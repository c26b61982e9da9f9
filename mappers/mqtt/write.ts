import { formatValue, type PropertyType, type PropertyValue, parseValue, sameValue } from '../../schemas/index.ts'
import type { Outcome, Results, VisitId } from '../contract/index.ts'
import { judgeAnswer } from './answer.ts'
import type { Heard } from './client.ts'
import { readingOf } from './reading.ts'
import type { Session } from './session.ts'
import { settle } from './settle.ts'
import { filterOf, lineOf, type MqttOrder, patienceOf, payloadOf, qosOf, topicOf } from './visits.ts'

/** Publishes commands and waits for what the devices say to them, all at a time, but for those whose answers look alike. */
export async function writeAll(
  session: Session,
  orders: readonly MqttOrder[],
  signal: AbortSignal,
): Promise<Results<void>> {
  signal.throwIfAborted()
  if (session.client.gone.aborted) throw session.client.gone.reason
  const results = new Map<VisitId, Outcome<void>>()
  const queues = Map.groupBy(orders, (order) => lineOf(order))
  await Promise.all(
    [...queues.values()].map(async (queue) => {
      for (const order of queue) results.set(order.id, await outcomeOf(session, order, signal))
    }),
  )
  return results
}

async function outcomeOf(session: Session, order: MqttOrder, signal: AbortSignal): Promise<Outcome<void>> {
  try {
    await command(session, order, signal)
    return { ok: true, value: undefined }
  } catch (error) {
    if (signal.aborted || session.client.gone.aborted) throw error
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

async function command(session: Session, order: MqttOrder, signal: AbortSignal): Promise<void> {
  const { visitor } = order
  if (visitor.commandTopic === undefined)
    throw new Error('the device takes no commands for this property: no commandTopic is given')
  const away = session.watched.get(order.deviceId ?? '')?.presence.away
  if (away !== undefined) throw new Error(away)
  const id = session.nextId()
  const topic = topicOf(order, visitor.commandTopic)
  const payload = payloadOf(order, visitor.commandPayload, { id, now: session.clock.now(), value: order.value })
  const by = visitor.ack?.by ?? (visitor.topic === undefined ? 'none' : 'state')
  const ack = createAck(session, order, by, id)
  const milliseconds = patienceOf(order)
  const silence = by === 'none' ? 'the MQTT broker gave no receipt' : 'the device did not acknowledge the command'
  const work = async () => {
    const refusal = await ack.ready
    if (refusal !== undefined) throw new Error(refusal)
    session.subscriptions.expectEcho(topic, payload)
    const respond = ack.responseTopic === undefined ? {} : { respond: { topic: ack.responseTopic, id } }
    await session.client.publish({ topic, payload, qos: qosOf(visitor), retain: visitor.commandRetain, ...respond })
    await ack.done
  }
  try {
    const late = () => new Error(`${ack.doubt() ?? silence} within ${milliseconds} ms`)
    await settle(work(), { clock: session.clock, milliseconds, signals: [signal, session.client.gone], late })
  } finally {
    ack.stop()
  }
  if (visitor.topic === undefined) {
    const cause = 'commanded, but the device never says this value'
    session.watched
      .get(order.deviceId ?? '')
      ?.commanded.set(order.id, { ok: true, value: { value: order.value, quality: 'uncertain', cause } })
  }
}

interface PendingAck {
  /** Why no answer can come, or nothing; settles when one can. */
  readonly ready: Promise<string | undefined>
  readonly done: Promise<void>
  readonly responseTopic?: string
  /** What came instead of what was waited for. */
  doubt(): string | undefined
  stop(): void
}

function createAck(
  session: Session,
  order: MqttOrder,
  by: 'state' | 'answer' | 'response' | 'none',
  id: string,
): PendingAck {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => undefined)
  if (by === 'none') {
    resolve()
    return { ready: Promise.resolve(undefined), done: promise, doubt: () => undefined, stop: () => undefined }
  }
  let seen: string | undefined
  const hearState = ({ message }: Heard) => {
    const outcome = message.isRetained ? undefined : readingOf(message, order.property.type, order.visitor)
    if (!outcome?.ok) return
    if (isSame(order.property.type, outcome.value.value, order.value)) resolve()
    else
      seen = `the device says ${formatValue(outcome.value.value).slice(0, 60)}, not ${formatValue(order.value).slice(0, 60)}`
  }
  const hearAnswer = ({ message, correlation }: Heard) => {
    const { ack } = order.visitor
    if (message.isRetained || !ack || (by === 'response' && correlation !== id)) return
    const judged = judgeAnswer(message, id, ack)
    if (!judged) return
    if (judged.failure === undefined) resolve()
    else reject(new Error(judged.failure))
  }
  const topic = ackTopicOf(session, order, by)
  const hear = by === 'state' ? hearState : hearAnswer
  const listening = session.subscriptions.listen(topic, qosOf(order.visitor), hear, true)
  return {
    ready: listening.refusal,
    done: promise,
    ...(by === 'response' ? { responseTopic: topic } : {}),
    doubt: () => seen && `${seen},`,
    stop: () => listening[Symbol.dispose](),
  }
}

function ackTopicOf(session: Session, order: MqttOrder, by: 'state' | 'answer' | 'response'): string {
  const { topic, ack } = order.visitor
  if (by === 'state') return filterOf(order, topic ?? '')
  if (ack?.topic !== undefined) return by === 'response' ? topicOf(order, ack.topic) : filterOf(order, ack.topic)
  return `skerry/answers/${session.client.id}`
}

/** What a device says and what it was told may be written differently: 1 and true, 20.50 and 20.5. */
function isSame(type: PropertyType, said: PropertyValue, told: PropertyValue): boolean {
  const text = formatValue(said).trim()
  if (type === 'BOOLEAN') return asBoolean(text) === asBoolean(formatValue(told))
  if (type === 'INT' && typeof said === 'number') return String(Math.round(said)) === formatValue(told)
  return parseValue(type, text).ok && sameValue(type, text, formatValue(told))
}

function asBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(word)) return true
  return ['false', '0', 'off', 'no'].includes(word) ? false : undefined
}
