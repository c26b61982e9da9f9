import type { Server } from 'node:net'
import { hasCode } from '../lifecycle/error-code.ts'
import { ConfigError, RefusedError } from '../lifecycle/errors.ts'

/** Settles when the server listens. Rejects with a RefusedError that names the port when it is taken or not allowed. */
export function listen(
  server: Server,
  at: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown) => reject(listenError(error, at))
    server.once('error', onError)
    server.listen(at, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

/** What a person can do about a failed listen. The port stands in the message, because it is what they have to look for. */
export function listenError(
  error: unknown,
  at: { readonly host: string; readonly port: number } | { readonly path: string },
): unknown {
  if ('path' in at) return error
  const { host, port } = at
  const details = (code: string) => ({ code, fields: { host, port }, cause: error })
  if (hasCode(error, 'EADDRINUSE')) {
    const message = `Port ${port} on ${host} is taken: stop the program that has it, or set another port (skerry up: --ports auto)`
    return new RefusedError(message, details('PLATFORM_PORT_TAKEN'))
  }
  if (hasCode(error, 'EACCES')) {
    return new RefusedError(
      `Port ${port} on ${host} needs more rights: set one above 1023`,
      details('PLATFORM_PORT_DENIED'),
    )
  }
  if (hasCode(error, 'EADDRNOTAVAIL', 'ENOTFOUND')) {
    return new ConfigError(`${host} is no address of this machine`, details('PLATFORM_HOST_UNKNOWN'))
  }
  return error
}
