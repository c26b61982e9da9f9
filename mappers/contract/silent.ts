/**
 * Thrown by `read`, `write` or `call` when a device does not answer although the connection to it is good, as a slave that is
 * switched off on a serial line. The devices of that call are offline; their neighbours are served as before.
 */
export class DeviceSilentError extends Error {
  override readonly name = 'DeviceSilentError'
}

/** By name: a mapper of another package has another copy of the class. */
export function isDeviceSilent(error: unknown): boolean {
  return error instanceof Error && error.name === 'DeviceSilentError'
}
