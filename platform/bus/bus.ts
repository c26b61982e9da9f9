import type { EventChannel, RequestChannel, StateChannel } from '../../schemas/index.ts'
import type { Duration } from '../time/index.ts'

/** One change of keyed state. `replay` marks the first listing of what was already there. */
export type StateChange<V> =
  | { readonly key: string; readonly value: V; readonly replay: boolean }
  | { readonly key: string; readonly value: undefined; readonly replay: false }

/**
 * The typed in-process bus. Handlers run on the caller's event loop, in order per subscriber; a subscriber that throws is
 * logged and does not disturb the others. A mapper's worker is on the same bus through a MessagePort (port-bus.ts).
 */
export interface Bus {
  publish<T>(channel: EventChannel<T>, message: T): void
  subscribe<T>(channel: EventChannel<T>, handler: (message: T) => void): Disposable

  /** Rejects with UnavailableError when nobody serves the channel, with DeadlineError at the deadline. */
  request<Q, R>(
    channel: RequestChannel<Q, R>,
    question: Q,
    options: { readonly deadline: Duration; readonly signal?: AbortSignal },
  ): Promise<R>
  /** Throws BugError when the channel has a server already. */
  serve<Q, R>(channel: RequestChannel<Q, R>, handler: (question: Q, signal: AbortSignal) => Promise<R>): Disposable

  set<V>(channel: StateChannel<V>, key: string, value: V): void
  remove<V>(channel: StateChannel<V>, key: string): void
  get<V>(channel: StateChannel<V>, key: string): V | undefined
  list<V>(channel: StateChannel<V>): ReadonlyMap<string, V>
  /** Replays what is there (synchronously for a local bus), then follows. */
  watch<V>(channel: StateChannel<V>, handler: (change: StateChange<V>) => void): Disposable
}
