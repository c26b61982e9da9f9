import { describeError } from '../../../lifecycle/errors.ts'
import type { Logger } from '../../../log/logger.ts'
import { Backoff, type Clock, ms, type Random, seconds, withDeadline } from '../../../time/index.ts'
import type { BrokerConnection, Dial, Receive } from './connection.ts'

export interface LinkOptions {
  readonly dial: Dial
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** For each connection; `renew` asks to replace it. */
  readonly receive: (renew: () => void) => Receive
  /** Called when a connection stands; the link counts as up when it settles. */
  readonly onConnected: (connection: BrokerConnection) => Promise<void> | void
  readonly onDisconnected: () => void
  /** Before the goodbye when this side stops: what is on its way may be waited for. */
  readonly onStopping?: () => Promise<void>
  /** Why there is no connection; undefined when there is one. */
  readonly onState: (reason: string | undefined) => void
}

const CONNECT_DEADLINE = seconds(10)
const GOODBYE = seconds(1)
/** A connection that lasted so long was a good one: the next attempt begins with short waits again. */
const STABLE_MS = 10_000
/** With the time to connect this stays below KubeEdge's 5 s. */
const WAITS = { first: ms(200), most: seconds(4) }

/** Keeps one connection to the broker, however often it ends, until the signal aborts. */
export async function keepConnected(options: LinkOptions, signal: AbortSignal): Promise<void> {
  const { clock, onState } = options
  const backoff = new Backoff(WAITS, options.random)
  let shown: string | undefined
  const fail = (reason: string) => {
    onState(reason)
    const fields = { reason, attempt: backoff.failures + 1 }
    if (reason === shown) options.log.debug('The MQTT broker is not reachable', fields)
    else options.log.warn('The MQTT broker is not reachable', fields)
    shown = reason
  }
  onState('connecting')
  while (!signal.aborted) {
    try {
      const { reason, lastedMs } = await connectOnce(options, signal)
      if (signal.aborted) return
      if (lastedMs >= STABLE_MS) backoff.reset()
      shown = undefined
      fail(reason)
    } catch (error) {
      if (signal.aborted) return
      fail(reasonOf(error))
    }
    await clock.sleep(backoff.next(), signal).catch(() => undefined)
  }
}

async function connectOnce(options: LinkOptions, signal: AbortSignal) {
  const { clock, dial, log, onConnected, onDisconnected, onState } = options
  let connection: BrokerConnection | undefined
  const receive = options.receive(() => connection?.abort('a message was not taken'))
  connection = await withDeadline(clock, CONNECT_DEADLINE, signal, (aborted) => dial(receive, aborted))
  const { closed } = connection
  const since = clock.monotonic()
  const stop = stopping(signal)
  try {
    const ready = Promise.resolve(onConnected(connection)).then(() => 'ready' as const)
    const first = await Promise.race([ready, closed, stop.asked])
    if (first === 'ready' && !signal.aborted) {
      log.info('Connected to the MQTT broker')
      onState(undefined)
    }
    await Promise.race([closed, stop.asked])
    if (signal.aborted) await sayGoodbye(options, connection)
    return { reason: await closed, lastedMs: clock.monotonic() - since }
  } finally {
    stop[Symbol.dispose]()
    connection.abort('it is given up')
    onDisconnected()
  }
}

async function sayGoodbye({ clock, onStopping }: LinkOptions, connection: BrokerConnection): Promise<void> {
  const politely = async () => {
    await onStopping?.()
    connection.end()
    await connection.closed
  }
  await withDeadline(clock, GOODBYE, undefined, politely).catch(() => connection.abort('it did not answer the goodbye'))
}

function stopping(signal: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<'stop'>()
  const onAbort = () => resolve('stop')
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return { asked: promise, [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) }
}

/** An address with several IP addresses fails with one error for each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0])
  return describeError(error)
}
