import type { Report } from '../contract/index.ts'
import type { Heard } from './client.ts'
import { Presence } from './presence.ts'
import { askFor } from './read.ts'
import { readingOf } from './reading.ts'
import type { Session, Watched } from './session.ts'
import type { Listening } from './subscriptions.ts'
import { filterOf, highestQos, type MqttVisit } from './visits.ts'

/** Listens to one device until the signal aborts; rejects when the connection ends. */
export async function watchDevice(
  session: Session,
  visits: readonly MqttVisit[],
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const [first] = visits
  if (!first || signal.aborted) return
  const presence = new Presence(first.device, report.presence ?? (() => undefined))
  const deviceId = first.deviceId ?? ''
  const watched: Watched = { presence, last: new Map(), commanded: new Map() }
  session.watched.set(deviceId, watched)
  const open: Listening[] = []
  try {
    for (const [filter, own] of filtersOf(visits, report)) open.push(listen(session, filter, own, watched, report))
    const available = listenAvailability(session, first, visits, presence)
    if (available) open.push(available)
    // Answers that come before the broker knows where they go are lost.
    void Promise.all(open.map(({ refusal }) => refusal)).then(() => {
      if (!signal.aborted) askForAll(session, visits)
    })
    await untilOver(session, first, presence, signal)
  } finally {
    for (const each of open) each[Symbol.dispose]()
    // A device that has changed is watched anew already.
    if (session.watched.get(deviceId) === watched) session.watched.delete(deviceId)
  }
}

/** Visits that hear the same messages; those whose topic cannot be made have failed. */
function filtersOf(visits: readonly MqttVisit[], report: Report): ReadonlyMap<string, readonly MqttVisit[]> {
  const byFilter = new Map<string, MqttVisit[]>()
  const made = new Map<string, string>()
  for (const visit of visits) {
    const { topic } = visit.visitor
    if (topic === undefined) continue
    try {
      // The properties of a device often share a message, and there may be thousands of them.
      const isOwn = `${topic} ${visit.device.base}`.includes('{property}')
      const filter = (isOwn ? undefined : made.get(topic)) ?? filterOf(visit, topic)
      made.set(topic, filter)
      const own = byFilter.get(filter) ?? []
      own.push(visit)
      byFilter.set(filter, own)
    } catch (error) {
      report(visit.id, { ok: false, error: asError(error) })
    }
  }
  return byFilter
}

function listen(
  session: Session,
  filter: string,
  visits: readonly MqttVisit[],
  { presence, last }: Watched,
  report: Report,
): Listening {
  const hear = ({ message }: Heard) => {
    if (!message.isRetained) presence.heard()
    for (const { id, property, visitor } of visits) {
      const outcome = readingOf(message, property.type, visitor)
      if (!outcome) continue
      last.set(id, outcome.ok ? { ok: true, value: { sourceTime: message.receivedAt, ...outcome.value } } : outcome)
      report(id, outcome)
    }
  }
  const listening = session.subscriptions.listen(filter, highestQos(visits), hear)
  void listening.refusal.then((reason) => {
    if (reason === undefined) return
    for (const { id } of visits) report(id, { ok: false, error: new Error(reason) })
  })
  return listening
}

function listenAvailability(
  session: Session,
  first: MqttVisit,
  visits: readonly MqttVisit[],
  presence: Presence,
): Listening | undefined {
  const { availability } = first.device
  if (!availability) return undefined
  const doubt = (reason: string) =>
    session.log.warn('A device cannot say whether it is there', { device: first.deviceId, reason })
  let filter: string
  try {
    filter = filterOf(first, availability.topic)
  } catch (error) {
    // A failed watch would cost all devices of the broker their connection.
    doubt(asError(error).message)
    return undefined
  }
  const listening = session.subscriptions.listen(filter, 1, ({ message }) => {
    // Back from wherever it was, it may have changed there.
    if (presence.take(message) && !message.isRetained) askForAll(session, visits)
  })
  void listening.refusal.then((reason) => {
    if (reason !== undefined) doubt(reason)
  })
  return listening
}

/** Nobody waits for the answers: they come as any other state. */
function askForAll(session: Session, visits: readonly MqttVisit[]): void {
  const asked = visits.filter(({ visitor }) => visitor.getTopic !== undefined && visitor.topic !== undefined)
  for (const failure of askFor(session, asked)) {
    session.log.debug('A device cannot be asked', { device: failure.visit.deviceId, error: failure.error })
  }
}

/** Settles when the signal aborts; rejects when the connection ends. Looks after the silence of the device meanwhile. */
async function untilOver(
  session: Session,
  { device }: MqttVisit,
  presence: Presence,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock } = session
  const over = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const once = { once: true, signal: over.signal }
  if (client.gone.aborted) reject(client.gone.reason)
  if (signal.aborted) resolve()
  client.gone.addEventListener('abort', () => reject(client.gone.reason), once)
  signal.addEventListener('abort', () => resolve(), once)
  try {
    if (device.silence !== undefined) void watchSilence(device.silence, clock, presence, over.signal)
    await promise
  } finally {
    over.abort()
  }
}

/** In steps, so that a device is missed soon after its silence; and by no time of day, which may be set meanwhile. */
async function watchSilence(
  silence: number,
  clock: Session['clock'],
  presence: Presence,
  signal: AbortSignal,
): Promise<void> {
  for (let quiet = 0; !signal.aborted; quiet++) {
    if (quiet === STEPS) presence.miss(`nothing was heard of the device for ${silence} ms`, true)
    const before = presence.words
    await clock.sleep(silence / STEPS, signal).catch(() => undefined)
    if (presence.words !== before) quiet = -1
  }
}

const STEPS = 10

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
