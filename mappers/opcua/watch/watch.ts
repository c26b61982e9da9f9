import type { ClientSubscription } from 'node-opcua-client'
import type { Report } from '../../contract/index.ts'
import { type Link, type OpcuaVisit, readVisits } from '../link.ts'
import { faultOf, isUnsupported } from '../service/faults.ts'
import { describeStatus } from '../values/reading.ts'
import { MonitoredVisits } from './monitored-visits.ts'

/** Between two attempts to monitor what could not be monitored, ms. Such values are read meanwhile. */
const RETRY_MS = 5000
/** Values that are read instead are not asked for more often, ms. */
const QUICKEST_POLL_MS = 50

/**
 * Reports changes of one device until the signal aborts. Rejects when the server ends the subscription, or misses a sign of life:
 * the host connects anew then, which restores everything after every kind of loss in the same way.
 */
export async function watchVisits(
  link: Link,
  visits: readonly OpcuaVisit[],
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const readable = visits.filter(({ visitor }) => visitor.method === undefined)
  const device = readable[0]?.device
  if (!device) return idle(link, signal)
  if (!device.subscribe) return poll(link, readable, report, signal)
  let subscription: ClientSubscription
  try {
    subscription = await subscribe(link, readable, signal)
  } catch (error) {
    const fault = faultOf(error)
    if (!fault || !isUnsupported(fault)) throw error
    link.log.warn('The server takes no subscription: its values are read instead', { cause: describeStatus(fault) })
    return poll(link, readable, report, signal)
  }
  await monitor(link, subscription, readable, report, signal)
}

async function monitor(
  link: Link,
  subscription: ClientSubscription,
  visits: readonly OpcuaVisit[],
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { lifeline, clock } = link
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const ended = Promise.withResolvers<never>()
  const end = (reason: string) => ended.reject(new Error(reason))
  ended.promise.catch(() => undefined)
  let heard = true
  subscription.on('keepalive', () => {
    heard = true
  })
  subscription.on('received_notifications', () => {
    heard = true
  })
  subscription.on('status_changed', (status) => end(`the server has ended the subscription: ${status.name}`))
  subscription.on('internal_error', (error) => end(error.message))
  subscription.on('error', (error) => end(error.message))
  subscription.on('terminated', () => end('the subscription has ended'))
  const patience = subscription.publishingInterval * subscription.maxKeepAliveCount + (visits[0]?.device.timeout ?? 0)
  const signsOfLife = async () => {
    for (;;) {
      heard = false
      await clock.sleep(patience, until)
      if (!heard) throw new Error(`the server has said nothing for ${Math.round(patience)} ms`)
    }
  }
  const monitored = new MonitoredVisits(link, subscription, report)
  const retries = async () => {
    await monitored.add(visits, until)
    for (;;) {
      await clock.sleep(RETRY_MS, until)
      await monitored.retry(until)
    }
  }
  try {
    await lifeline.run(signal, Promise.race([ended.promise, signsOfLife(), retries()]))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stop.abort(new Error('the watch is over'))
    if (!lifeline.lost.aborted) void subscription.terminate().catch(() => undefined)
  }
}

async function subscribe(link: Link, visits: readonly OpcuaVisit[], signal: AbortSignal): Promise<ClientSubscription> {
  const { session, lifeline } = link
  const [visit] = visits
  const wanted = visit?.device.publishingInterval ?? 500
  // Signs of life also keep the session, so there have to be some in its lifetime.
  const interval = Math.min(wanted, session.timeout / 8)
  const most = Math.max(3, Math.floor(session.timeout / 2 / interval))
  const keepAliveCount = Math.min(most, Math.max(3, Math.round((visit?.device.keepAlive ?? 5000) / interval)))
  return lifeline.run(
    signal,
    session.createSubscription2({
      requestedPublishingInterval: interval,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: Math.max(100, keepAliveCount * 10),
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    }),
  )
}

/** For servers that report nothing by themselves. */
async function poll(link: Link, visits: readonly OpcuaVisit[], report: Report, signal: AbortSignal): Promise<void> {
  const interval = Math.max(QUICKEST_POLL_MS, visits[0]?.device.samplingInterval ?? 0)
  try {
    for (;;) {
      await readVisits(link, visits, report, signal)
      await link.lifeline.run(signal, link.clock.sleep(interval, signal))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** A device that can only be called has nothing to watch; a lost link is told all the same. */
async function idle({ lifeline }: Link, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (signal.aborted) return
  await lifeline.run(signal, promise).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
