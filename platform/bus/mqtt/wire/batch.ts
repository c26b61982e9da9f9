import type { Client } from 'aedes'

/** Packets of a client that are not done. aedes hands its next packets over when it is 0. */
const COUNT = '_parsingBatch'

/**
 * A message does not keep aedes from reading on, or a client would have no more than one batch under way: the intake counts
 * messages itself. All other packets do.
 */
export function passOver(client: Client): void {
  shift(client, -1)
}

/** Before aedes is told that a message is done, and counts it down. */
export function takeBack(client: Client): void {
  shift(client, 1)
}

function shift(client: Client, by: number): void {
  const count: unknown = Reflect.get(client, COUNT)
  if (typeof count === 'number') Reflect.set(client, COUNT, count + by)
}
