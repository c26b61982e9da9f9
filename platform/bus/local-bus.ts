import type { EventChannel, RequestChannel, StateChannel } from '../../schemas/index.ts'
import { BugError, UnavailableError } from '../lifecycle/errors.ts'
import type { Logger } from '../log/index.ts'
import type { Clock } from '../time/index.ts'
import { withDeadline } from '../time/index.ts'
import type { Bus, StateChange } from './bus.ts'
import { typed, untyped } from './untyped.ts'

type Handler<M> = (message: M) => void
type Server = (question: unknown, signal: AbortSignal) => Promise<unknown>

/** The bus of one thread. Channels are matched by name; their types are checked where they are declared. */
export function createLocalBus(clock: Clock, log: Logger): Bus {
  const events = new Map<string, Set<Handler<unknown>>>()
  const servers = new Map<string, Server>()
  const states = new Map<string, KeyedState>()

  const stateOf = (name: string): KeyedState => {
    const found = states.get(name)
    if (found) return found
    const made: KeyedState = { values: new Map(), watchers: new Set() }
    states.set(name, made)
    return made
  }

  const guarded = <M>(channel: string, handler: Handler<M>, message: M) => {
    try {
      handler(message)
    } catch (error) {
      log.error('A subscriber of the bus threw', { channel, error })
    }
  }

  // A handler may publish or set again: what it does is delivered after what is under way, or the later subscribers would
  // see the newer message first and end with the older.
  const underway: (() => void)[] = []
  let delivering = false
  const deliver = <M>(name: string, handlers: ReadonlySet<Handler<M>>, message: M) => {
    underway.push(() => {
      for (const handler of [...handlers]) if (handlers.has(handler)) guarded(name, handler, message)
    })
    if (delivering) return
    delivering = true
    try {
      for (let next = underway.shift(); next; next = underway.shift()) next()
    } finally {
      delivering = false
    }
  }

  const join = <M>(handlers: Set<Handler<M>>, handler: Handler<M>): Disposable => {
    const own: Handler<M> = (message) => handler(message)
    handlers.add(own)
    return { [Symbol.dispose]: () => void handlers.delete(own) }
  }

  return {
    publish(channel, message) {
      const handlers = events.get(channel.name)
      if (handlers) deliver(channel.name, handlers, message)
    },

    subscribe<T>(channel: EventChannel<T>, handler: Handler<T>) {
      const handlers = events.get(channel.name) ?? new Set()
      events.set(channel.name, handlers)
      return join(handlers, untyped(handler))
    },

    async request<Q, R>(
      channel: RequestChannel<Q, R>,
      question: Q,
      options: { deadline: { milliseconds: number }; signal?: AbortSignal },
    ) {
      const server = servers.get(channel.name)
      if (!server) {
        throw new UnavailableError('Nobody serves this request', {
          code: 'PLATFORM_BUS_NO_SERVER',
          fields: { channel: channel.name },
        })
      }
      return typed<R>(await withDeadline(clock, options.deadline, options.signal, (signal) => server(question, signal)))
    },

    serve<Q, R>(channel: RequestChannel<Q, R>, handler: (question: Q, signal: AbortSignal) => Promise<R>) {
      if (servers.has(channel.name)) {
        throw new BugError('A request channel has two servers', {
          code: 'PLATFORM_BUS_TWO_SERVERS',
          fields: { channel: channel.name },
        })
      }
      const server: Server = (question, signal) => handler(typed<Q>(question), signal)
      servers.set(channel.name, server)
      return {
        [Symbol.dispose]: () => {
          if (servers.get(channel.name) === server) servers.delete(channel.name)
        },
      }
    },

    set(channel, key, value) {
      const state = stateOf(channel.name)
      state.values.set(key, value)
      deliver(channel.name, state.watchers, { key, value, replay: false })
    },

    remove(channel, key) {
      const state = stateOf(channel.name)
      if (!state.values.delete(key)) return
      deliver(channel.name, state.watchers, { key, value: undefined, replay: false })
    },

    get<V>(channel: StateChannel<V>, key: string) {
      return typed<V | undefined>(stateOf(channel.name).values.get(key))
    },

    list<V>(channel: StateChannel<V>) {
      return typed<ReadonlyMap<string, V>>(stateOf(channel.name).values)
    },

    watch<V>(channel: StateChannel<V>, handler: Handler<StateChange<V>>) {
      const state = stateOf(channel.name)
      const joined = join(state.watchers, untyped(handler))
      for (const key of [...state.values.keys()]) {
        // The handler may have changed what is still to be listed.
        const value = state.values.get(key)
        if (value !== undefined) guarded(channel.name, handler, { key, value: typed<V>(value), replay: true })
      }
      return joined
    },
  }
}

interface KeyedState {
  readonly values: Map<string, unknown>
  readonly watchers: Set<Handler<StateChange<unknown>>>
}
