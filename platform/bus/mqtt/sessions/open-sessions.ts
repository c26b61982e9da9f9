import type { Client } from 'aedes'
import type { Scope } from '../../../lifecycle/module.ts'
import { minutes } from '../../../time/index.ts'
import type { Counters } from '../counters.ts'
import type { EmbeddedBrokerOptions } from '../options.ts'
import { Exchange } from './exchange.ts'
import { Journal } from './journal.ts'
import { SESSION_LIMITS } from './limits.ts'
import { Pacing } from './pacing.ts'
import { createPersistence } from './persistence.ts'
import { Queue } from './queue.ts'
import { restore } from './restore.ts'
import { Retained } from './retained.ts'
import { SessionBook } from './session-book.ts'

/** Bytes that wait in the socket of one client before it counts as stalled. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024
const LOOK_FOR_EXPIRED = minutes(10)

export interface SessionsOptions {
  readonly options: EmbeddedBrokerOptions
  readonly counters: Counters
  readonly mayReceive: (client: Client, topic: string) => boolean
  readonly mayKeep: (user: string, topic: string) => boolean
  /** Who is connected with a client id, and the name of its user. */
  readonly clientOf: (id: string) => Client | undefined
  readonly userOf: (id: string) => string | undefined
}

export type Sessions = Awaited<ReturnType<typeof openSessions>>

/** Sessions, queues and retained messages of the broker, as an earlier process left them. The scope closes them. */
export async function openSessions(given: SessionsOptions, scope: Scope) {
  const { options, counters, mayReceive, mayKeep, clientOf, userOf } = given
  const { clock, log, metrics } = options
  const limits = { ...SESSION_LIMITS, ...options.limits }
  const journal = scope.use(new Journal({ file: options.file, durability: options.durability, clock, log, metrics }))
  const onExpired = () => counters.dropped.add(1, { reason: 'expired' })
  const book = new SessionBook({ journal, limits, clock, onExpired, userOf })
  const retained = new Retained(limits)
  const pacing = new Pacing({
    clock,
    onStalled: ({ id, client }) => {
      counters.dropped.add(1, { reason: 'stalled' })
      log.warn('An MQTT client takes nothing; it is disconnected', { client: id })
      client?.conn.destroy()
    },
  })
  const exchange = new Exchange({
    ...{ book, retained, pacing, log, mayReceive, mayKeep },
    maxBacklogBytes: options.maxBacklogBytes ?? MAX_BACKLOG_BYTES,
    onDropped: (reason, count) => counters.dropped.add(count, { reason }),
  })
  const left = await journal.existing()
  if (left) await restore(left, book, retained, limits.maxInflight)
  book.expire()
  scope.use(pacing)
  scope.defer(() => book.detachAll())
  scope.use(counters.sessions.follow(() => book.size))
  scope.use(counters.retained.follow(() => retained.size))
  scope.run(async (signal) => {
    for (;;) {
      await clock.sleep(LOOK_FOR_EXPIRED, signal).catch(() => undefined)
      if (signal.aborted) return
      book.expire()
    }
  })
  const fresh = new WeakSet<object>()
  const pump = exchange.pump.bind(exchange)
  return {
    ...{ book, exchange, fresh, limits },
    mq: new Queue(exchange),
    persistence: createPersistence({ book, retained, clientOf, fresh, pump }),
    /** The client was greeted: it gets what waits for it. */
    attach(client: Client): void {
      const session = book.attach(client)
      client.conn.on('drain', () => exchange.pump(session))
      client.conn.once('close', () => pacing.clear(session))
      exchange.pump(session)
    },
  }
}
