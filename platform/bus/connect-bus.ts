import type { EventChannel, RequestChannel, StateChannel } from '../../schemas/index.ts'
import { BugError, UnavailableError } from '../lifecycle/errors.ts'
import type { Logger } from '../log/logger.ts'
import { type Clock, ms, withDeadline } from '../time/index.ts'
import type { Bus, StateChange } from './bus.ts'
import { type BusPort, PortLink } from './port-link.ts'
import type { PortMessage } from './port-messages.ts'
import { typed, untyped } from './untyped.ts'

type Handler<M> = (message: M) => void
type Server = (question: unknown, signal: AbortSignal) => Promise<unknown>

/**
 * The bus of the thread at the other end of the port, which `serveBus` extends. What is published, set or removed here goes
 * there first and comes back to subscribers and watchers here in the order of that bus. `watch` lists later, not within the
 * call; `get` and `list` answer for channels that are watched here, from what has arrived, and else throw BugError. Owns the
 * port: disposing closes it.
 */
export function connectBus(port: BusPort, clock: Clock, log: Logger): Bus & AsyncDisposable {
  const events = new Map<string, Set<Handler<unknown>>>()
  const servers = new Map<string, Server>()
  const mirrors = new Map<string, Mirror>()
  const byId = new Map<number, Mirror>()
  let ids = 0

  const link = new PortLink(port, log, {
    onMessage: take,
    onRequest: async (channel, question, milliseconds, signal) => {
      const server = servers.get(channel)
      if (!server) {
        throw new UnavailableError('Nobody serves this request', {
          code: 'PLATFORM_BUS_NO_SERVER',
          fields: { channel },
        })
      }
      return withDeadline(clock, ms(milliseconds), signal, (limited) => server(question, limited))
    },
    onClose: () => undefined,
  })

  function take(message: PortMessage): void {
    if (message.type === 'publish') deliver(message.channel, events.get(message.channel), message.message)
    const mirror = 'id' in message ? byId.get(message.id) : undefined
    // A watch that has ended meanwhile.
    if (!mirror) return
    if (message.type === 'listing') {
      for (const [key, value] of message.entries) apply(mirror, { key, value, replay: true })
    } else if (message.type === 'change') {
      apply(mirror, { key: message.key, value: message.value, replay: false })
    } else if (message.type === 'gone') {
      apply(mirror, { key: message.key, value: undefined, replay: false })
    }
  }

  function apply(mirror: Mirror, change: StateChange<unknown>): void {
    if (change.value === undefined) mirror.values.delete(change.key)
    else mirror.values.set(change.key, change.value)
    deliver(mirror.name, mirror.watchers, change)
  }

  function deliver<M>(channel: string, handlers: ReadonlySet<Handler<M>> | undefined, message: M): void {
    for (const handler of [...(handlers ?? [])]) {
      if (handlers?.has(handler)) guarded(channel, handler, message)
    }
  }

  function guarded<M>(channel: string, handler: Handler<M>, message: M): void {
    try {
      handler(message)
    } catch (error) {
      log.error('A subscriber of the bus threw', { channel, error })
    }
  }

  function mirrorOf(name: string): Mirror {
    const found = mirrors.get(name)
    if (found) return found
    const made: Mirror = { id: ++ids, name, values: new Map(), watchers: new Set() }
    mirrors.set(name, made)
    byId.set(made.id, made)
    link.send({ type: 'watch', id: made.id, channel: name })
    return made
  }

  function watched(name: string): Mirror {
    const found = mirrors.get(name)
    if (found) return found
    throw new BugError('A worker reads a state channel that it does not watch', {
      code: 'PLATFORM_BUS_NOT_WATCHED',
      fields: { channel: name },
    })
  }

  return {
    publish: (channel, message) => link.sendEvent({ type: 'publish', channel: channel.name, message }),

    subscribe<T>({ name }: EventChannel<T>, handler: Handler<T>) {
      const handlers = events.get(name) ?? new Set()
      if (handlers.size === 0) link.send({ type: 'subscribe', channel: name })
      events.set(name, handlers)
      return join(handlers, untyped(handler), () => link.send({ type: 'unsubscribe', channel: name }))
    },

    async request<Q, R>(
      { name }: RequestChannel<Q, R>,
      question: Q,
      { deadline, signal }: { deadline: { milliseconds: number }; signal?: AbortSignal },
    ) {
      const answer = await withDeadline(clock, deadline, signal, (limited) =>
        link.request(name, question, deadline.milliseconds, limited),
      )
      return typed<R>(answer)
    },

    serve<Q, R>({ name }: RequestChannel<Q, R>, handler: (question: Q, signal: AbortSignal) => Promise<R>) {
      if (servers.has(name)) {
        throw new BugError('A request channel has two servers', {
          code: 'PLATFORM_BUS_TWO_SERVERS',
          fields: { channel: name },
        })
      }
      const server: Server = (question, signal) => handler(typed<Q>(question), signal)
      servers.set(name, server)
      link.send({ type: 'serve', channel: name })
      return {
        [Symbol.dispose]: () => {
          if (servers.get(name) !== server) return
          servers.delete(name)
          link.send({ type: 'unserve', channel: name })
        },
      }
    },

    set: ({ name }, key, value) => link.sendState(`${name} ${key}`, { type: 'set', channel: name, key, value }),
    remove: ({ name }, key) => link.sendState(`${name} ${key}`, { type: 'remove', channel: name, key }),
    get: <V>({ name }: StateChannel<V>, key: string) => typed<V | undefined>(watched(name).values.get(key)),
    list: <V>({ name }: StateChannel<V>) => typed<ReadonlyMap<string, V>>(watched(name).values),

    watch<V>({ name }: StateChannel<V>, handler: Handler<StateChange<V>>) {
      const mirror = mirrorOf(name)
      const joined = join(mirror.watchers, untyped(handler), () => {
        mirrors.delete(name)
        byId.delete(mirror.id)
        link.send({ type: 'unwatch', id: mirror.id })
      })
      for (const [key, value] of [...mirror.values]) {
        guarded(name, handler, { key, value: typed<V>(value), replay: true })
      }
      return joined
    },

    [Symbol.asyncDispose]: async () => link.close(),
  }
}

/** What this thread knows of one watched channel. */
interface Mirror {
  /** Of the watch, so that what is under way for an ended one is not taken for the next. */
  readonly id: number
  readonly name: string
  readonly values: Map<string, unknown>
  readonly watchers: Set<Handler<StateChange<unknown>>>
}

function join<M>(handlers: Set<Handler<M>>, handler: Handler<M>, onLast: () => void): Disposable {
  const own: Handler<M> = (message) => handler(message)
  handlers.add(own)
  return {
    [Symbol.dispose]: () => {
      if (handlers.delete(own) && handlers.size === 0) onLast()
    },
  }
}
