/**
 * Thrown by what is done for one visit when the connection itself is gone: `readEach` and `writeEach` pass it on instead of blaming
 * the visit. A call that throws anything has lost its connection anyway.
 */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** By name: a mapper of another package has another copy of the class. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConnectionLostError'
}
