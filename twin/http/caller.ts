import type { IncomingMessage } from 'node:http'
import { isHostTrusted, isOriginAllowed } from '../../platform/http/index.ts'
import { type ProblemError, problem } from './problem.ts'

/** What somebody may do, in topics of the plain view: rights are those of MQTT. */
export interface Rights {
  mayHear(topic: string): boolean
  /** Why he may not, or nothing. */
  refusePublish(topic: string): string | undefined
}

export interface Caller {
  /** Undefined: he did not say. */
  readonly user: string | undefined
  readonly rights: Rights
}

/** Codes of MQTT 3.1.1 §3.2.2.3: 3 not now, the others never with these credentials. */
export interface CallerRefusal {
  readonly returnCode: number
  readonly reason: string
}

/** Knows people and programs as the broker does. */
export interface Access {
  identify(
    peer: { readonly address: string; readonly isLocal: boolean },
    user: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Caller | CallerRefusal>
}

export interface CallerOptions {
  readonly access: Access
  /** Web origins whose pages may call, beside those of the same host. */
  readonly origins: readonly string[]
  /** More names of this host. */
  readonly names: readonly string[]
}

/** Who calls; asked again while a stream lasts. Throws a ProblemError where nobody is served. */
export async function callerOf(options: CallerOptions, request: IncomingMessage): Promise<Caller> {
  const { host, origin, authorization } = request.headers
  if (!isHostTrusted(host, options.names)) {
    throw problem(421, `this host is not called ${host ?? 'so'}: call it by its address, or name it in http.names`)
  }
  if (!isOriginAllowed(origin, host, options.origins)) {
    throw problem(403, `pages of ${origin} may not call here: name the origin in http.origins if they should`)
  }
  const { user, password } = credentialsOf(authorization)
  const address = request.socket.remoteAddress ?? 'unknown'
  // A proxy on this machine brings callers of others.
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => request.headers[name])
  const found = await options.access.identify({ address, isLocal: !isForwarded }, user, password)
  if (!('reason' in found)) return found
  if (found.returnCode === 3) throw problem(503, found.reason, { headers: { 'retry-after': '1' } })
  throw unauthorized(found.reason)
}

/** The caller may not do it; one who did not say who he is may yet. */
export function forbidden({ user }: Caller, reason: string): ProblemError {
  return user === undefined ? unauthorized(reason) : problem(403, reason)
}

function unauthorized(reason: string): ProblemError {
  return problem(401, `${reason}: send the user name and password of an MQTT user of this node (Basic)`, {
    headers: { 'www-authenticate': 'Basic realm="skerry", charset="UTF-8"' },
  })
}

/** RFC 7617. */
function credentialsOf(authorization: string | undefined) {
  if (authorization === undefined) return { user: undefined, password: undefined }
  const token = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1]
  const text = token === undefined ? '' : Buffer.from(token, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon <= 0) throw unauthorized('the credentials are not understood')
  return { user: text.slice(0, colon), password: Buffer.from(text.slice(colon + 1)) }
}
