import type { Duplex } from 'node:stream'

/**
 * What is written to the connection in one turn of the event loop goes out together: for packets of a hundred bytes the call
 * of the system is the dearest part.
 */
export function gatherWrites(connection: Duplex): void {
  const write = connection.write
  let isGathering = false
  connection.write = (...given: readonly unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true
      connection.cork()
      setImmediate(() => {
        isGathering = false
        connection.uncork()
      })
    }
    return Reflect.apply(write, connection, given)
  }
}
