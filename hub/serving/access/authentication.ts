import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../../platform/time/index.ts'
import { ANONYMOUS, EVERYBODY } from '../../kube/rbac/index.ts'
import type { User } from '../user.ts'

/** Whom a bearer token belongs to, and for which of the audiences asked for it counts. */
export interface TokenOwner {
  readonly user: User
  readonly audiences: readonly string[]
}

/** Undefined when nobody knows the token, or it is for none of the audiences. */
export type TokenAuthenticator = (
  token: string,
  audiences: readonly string[],
  signal: AbortSignal,
) => Promise<TokenOwner | undefined>

/** The first that knows the token. */
export function firstOf(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return async (token, audiences, signal) => {
    for (const authenticator of authenticators) {
      const owner = await authenticator(token, audiences, signal)
      if (owner) return owner
    }
    return undefined
  }
}

/** Who issues tokens of service accounts, and whom they are for unless they say otherwise. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** Whom tokens of requests to this API have to be for. */
export const API_AUDIENCES: readonly string[] = [ISSUER]

/** Who shows no credentials at all. */
export const ANONYMOUS_USER: User = { name: 'system:anonymous', groups: [ANONYMOUS] }

/** What an Authorization header turned out to be. */
export type Identity = { readonly kind: 'user'; readonly user: User } | { readonly kind: 'anonymous' | 'unknown' }

/**
 * Who sends a request: the subject of a client certificate that this API's authority signed (CN user, O groups), else the
 * owner of a bearer token. Credentials that nobody knows, and a certificate that has ended meanwhile, are `unknown`, and never taken
 * for anonymous.
 */
export async function authenticate(
  request: IncomingMessage,
  tokens: TokenAuthenticator,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Identity> {
  const shown = certificateOf(request, clock)
  if (shown.kind === 'user') return shown
  const header = request.headers.authorization
  if (header === undefined) return shown
  const token = bearerToken(header)
  const owner = token === undefined ? undefined : await tokens(token, API_AUDIENCES, signal)
  return owner ? { kind: 'user', user: authenticated(owner.user) } : { kind: 'unknown' }
}

/** Of an Authorization header, RFC 6750. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\w\-.~+/=:]+)$/i.exec(header ?? '')?.[1]
}

/** Reading a certificate costs as much as a small request does, and a connection keeps its own. */
const certified = new WeakMap<TLSSocket, Certified>()

interface Certified {
  readonly identity: Identity
  /** Unix ms; a connection may outlast its certificate. */
  readonly until: number
}

function certificateOf({ socket }: IncomingMessage, clock: Clock): Identity {
  if (!(socket instanceof TLSSocket)) return { kind: 'anonymous' }
  const known = certified.get(socket) ?? readCertificate(socket)
  certified.set(socket, known)
  return known.until > clock.now() ? known.identity : { kind: 'unknown' }
}

function readCertificate(socket: TLSSocket): Certified {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return { identity: { kind: 'anonymous' }, until: Number.POSITIVE_INFINITY }
  const user = socket.authorized ? readUser(socket, certificate.fingerprint256) : undefined
  return { identity: user ? { kind: 'user', user } : { kind: 'unknown' }, until: certificate.validToDate.getTime() }
}

function readUser(socket: TLSSocket, fingerprint: string): User | undefined {
  const subject: unknown = socket.getPeerCertificate()?.subject
  if (typeof subject !== 'object' || subject === null) return undefined
  const name = textsOf(Reflect.get(subject, 'CN')).at(-1)
  if (name === undefined || name === '') return undefined
  const credential = `X509SHA256=${fingerprint.replaceAll(':', '').toLowerCase()}`
  const extra = { 'authentication.kubernetes.io/credential-id': [credential] }
  return { name, groups: withAuthenticated(textsOf(Reflect.get(subject, 'O'))), extra }
}

export function authenticated(user: User): User {
  return { ...user, groups: withAuthenticated(user.groups) }
}

function withAuthenticated(groups: readonly string[]): readonly string[] {
  return [...groups.filter((group) => group !== EVERYBODY), EVERYBODY]
}

function textsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((item) => typeof item === 'string')
}
