import { eventChannel, requestChannel, type StateChannel, stateChannel } from '../../schemas/index.ts'
import type { Logger } from '../log/logger.ts'
import { ms } from '../time/index.ts'
import type { Bus } from './bus.ts'
import { type BusPort, PortLink } from './port-link.ts'
import type { PortMessage } from './port-messages.ts'

export interface ServeBusOptions {
  /** What the other thread set on these channels goes with it; what it set on others stays when its port closes. */
  readonly removeOnClose?: readonly StateChannel<unknown>[]
}

/**
 * Extends the bus to the thread at the other end of the port, see `connectBus`. Owns the port: disposing closes it. When the
 * port closes, the channels that the thread served have no server any more, and requests that wait for it are rejected
 * with UnavailableError.
 */
export function serveBus(bus: Bus, port: BusPort, log: Logger, options: ServeBusOptions = {}): Disposable {
  const subscriptions = new Map<string, Disposable>()
  const servers = new Map<string, Disposable>()
  const watches = new Map<number, Disposable>()
  const owned = new Map((options.removeOnClose ?? []).map(({ name }) => [name, new Set<string>()]))

  const link = new PortLink(port, log, {
    onMessage: (message) => {
      try {
        take(message)
      } catch (error) {
        log.error('The bus refused what a thread asked', { type: message.type, error })
      }
    },
    onRequest: (channel, question, milliseconds, signal) =>
      bus.request<unknown, unknown>(requestChannel(channel), question, { deadline: ms(milliseconds), signal }),
    onClose: () => {
      for (const held of [subscriptions, servers, watches]) {
        for (const each of held.values()) each[Symbol.dispose]()
        held.clear()
      }
      for (const [channel, keys] of owned) for (const key of keys) bus.remove(stateChannel<unknown>(channel), key)
    },
  })
  return { [Symbol.dispose]: () => link.close() }

  function take(message: PortMessage): void {
    switch (message.type) {
      case 'publish':
        bus.publish<unknown>(eventChannel(message.channel), message.message)
        break
      case 'set':
        owned.get(message.channel)?.add(message.key)
        bus.set<unknown>(stateChannel(message.channel), message.key, message.value)
        break
      case 'remove':
        owned.get(message.channel)?.delete(message.key)
        bus.remove<unknown>(stateChannel(message.channel), message.key)
        break
      case 'subscribe':
        hold(subscriptions, message.channel, subscribe(message.channel))
        break
      case 'unsubscribe':
        release(subscriptions, message.channel)
        break
      case 'serve':
        hold(servers, message.channel, serve(message.channel))
        break
      case 'unserve':
        release(servers, message.channel)
        break
      case 'watch':
        hold(watches, message.id, watch(message.id, message.channel))
        break
      case 'unwatch':
        release(watches, message.id)
        break
    }
  }

  function subscribe(channel: string): Disposable {
    return bus.subscribe<unknown>(eventChannel(channel), (message) => {
      link.sendEvent({ type: 'publish', channel, message })
    })
  }

  function serve(channel: string): Disposable {
    return bus.serve<unknown, unknown>(requestChannel(channel), (question, signal) =>
      // The caller's deadline comes as its signal.
      link.request(channel, question, NO_LIMIT_MS, signal),
    )
  }

  function watch(id: number, channel: string): Disposable {
    const entries: [string, unknown][] = []
    let listed = false
    const watching = bus.watch<unknown>(stateChannel(channel), ({ key, value, replay }) => {
      if (!listed && replay) entries.push([key, value])
      else if (value === undefined) link.sendState(`${id} ${key}`, { type: 'gone', id, key })
      else link.sendState(`${id} ${key}`, { type: 'change', id, key, value })
    })
    listed = true
    link.send({ type: 'listing', id, entries })
    return watching
  }
}

const NO_LIMIT_MS = 2 ** 31 - 1

function hold<K>(held: Map<K, Disposable>, key: K, value: Disposable): void {
  release(held, key)
  held.set(key, value)
}

function release<K>(held: Map<K, Disposable>, key: K): void {
  held.get(key)?.[Symbol.dispose]()
  held.delete(key)
}
