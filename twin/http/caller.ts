import type { IncomingMessage } from 'node:http'
import { isHostTrusted, isLoopback, isOriginAllowed } from '../../platform/http/index.ts'
import { isPodUser, userOfHttp } from '../../schemas/index.ts'
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
    /** `isForPods`: not without credentials. */
    peer: { readonly address: string; readonly isLocal: boolean; readonly isForPods?: true },
    user: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Caller | CallerRefusal>
  /** Tells of accounts of pods: their rights are others from now on, or they are gone. */
  follow(listener: (user: string, change: 'changed' | 'gone') => void): Disposable
}

export interface CallerOptions {
  readonly access: Access
  /** Web origins whose pages may call, beside those of the same host. */
  readonly origins: readonly string[]
  /** More names of this host. */
  readonly names: readonly string[]
}

/** Where somebody came in. */
export type Door = 'near' | 'pods'

/** Who calls; asked again while a stream lasts. Throws a ProblemError where nobody is served. */
export async function callerOf(options: CallerOptions, door: Door, request: IncomingMessage): Promise<Caller> {
  const { host, origin, authorization } = request.headers
  if (!isHostTrusted(host, options.names)) {
    throw problem(421, `this host is not called ${host ?? 'so'}: call it by its address, or name it in http.names`)
  }
  if (!isOriginAllowed(origin, host, options.origins)) {
    throw problem(403, `pages of ${origin} may not call here: name the origin in http.origins if they should`)
  }
  const { user, password } = credentialsOf(authorization)
  if (door === 'pods' && (user === undefined || !isPodUser(user))) throw onlyPods()
  const address = request.socket.remoteAddress ?? 'unknown'
  // A proxy on this machine brings callers of others.
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => request.headers[name])
  // What comes to the loopback from another address came from a pod, by a road that somebody made.
  const isStray = door === 'pods' || !isLoopback(address)
  const peer = { address, isLocal: !isForwarded && !isStray, ...(isStray ? { isForPods: true as const } : {}) }
  const found = await options.access.identify(peer, user, password)
  if (!('reason' in found)) return found
  if (found.returnCode === 3) throw problem(503, found.reason, { headers: { 'retry-after': '1' } })
  throw unauthorized(found.reason)
}

/** The caller may not do it; one who did not say who he is may yet. */
export function forbidden({ user }: Caller, reason: string): ProblemError {
  return user === undefined ? unauthorized(reason) : problem(403, reason)
}

function unauthorized(
  reason: string,
  advice = ': send the user name and password of an MQTT user of this node (Basic)',
): ProblemError {
  return problem(401, `${reason}${advice}`, {
    headers: { 'www-authenticate': 'Basic realm="skerry", charset="UTF-8"' },
  })
}

function onlyPods(): ProblemError {
  return unauthorized(
    'here pods come in, with the account that their annotations twins.skerry.io/read and /write give them: send ' +
      'SKERRY_HTTP_USERNAME and what is in SKERRY_HTTP_PASSWORD_FILE (Basic)',
    '',
  )
}

/** RFC 7617. */
function credentialsOf(authorization: string | undefined) {
  if (authorization === undefined) return { user: undefined, password: undefined }
  const token = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1]
  const text = token === undefined ? '' : Buffer.from(token, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon <= 0) throw unauthorized('the credentials are not understood')
  return { user: userOfHttp(text.slice(0, colon)), password: Buffer.from(text.slice(colon + 1)) }
}
