/**
 * The three shapes of the in-process bus. A declaration is an inert value that names a channel and carries the type of
 * its messages; all messages are structured-cloneable, because a mapper's worker is on the bus through a MessagePort.
 */

/** Something happened. No reply, no memory; a late subscriber has missed it. */
export interface EventChannel<T> {
  readonly shape: 'event'
  readonly name: string
  readonly message?: T
}

/** Somebody answers. Exactly one server at a time; the caller brings a deadline. */
export interface RequestChannel<Q, R> {
  readonly shape: 'request'
  readonly name: string
  readonly question?: Q
  readonly answer?: R
}

/** What is, by key. A late subscriber first gets every present key, then the changes. */
export interface StateChannel<V> {
  readonly shape: 'state'
  readonly name: string
  readonly value?: V
}

export function eventChannel<T>(name: string): EventChannel<T> {
  return { shape: 'event', name }
}

export function requestChannel<Q, R>(name: string): RequestChannel<Q, R> {
  return { shape: 'request', name }
}

export function stateChannel<V>(name: string): StateChannel<V> {
  return { shape: 'state', name }
}
