import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { User } from '../rest/context.ts'

/** Who a bearer token belongs to; undefined when nobody knows it. */
export type TokenAuthenticator = (token: string, signal: AbortSignal) => Promise<User | undefined>

/** What an Authorization header turned out to be. */
export type Identity = { readonly kind: 'user'; readonly user: User } | { readonly kind: 'anonymous' | 'unknown' }

/**
 * Who sends a request: the subject of a client certificate that this API's authority signed (CN user, O groups), else the
 * owner of a bearer token. Credentials that nobody knows are `unknown`, and never taken for anonymous.
 */
export async function authenticate(
  request: IncomingMessage,
  tokens: TokenAuthenticator,
  signal: AbortSignal,
): Promise<Identity> {
  const user = certifiedUser(request)
  if (user) return { kind: 'user', user }
  const header = request.headers.authorization
  if (header === undefined) return { kind: 'anonymous' }
  const token = /^Bearer +([\w\-.~+/=:]+)$/i.exec(header)?.[1]
  const owner = token === undefined ? undefined : await tokens(token, signal)
  return owner ? { kind: 'user', user: { ...owner, groups: withAuthenticated(owner.groups) } } : { kind: 'unknown' }
}

/** Reading a certificate costs as much as a small request does, and a connection keeps its own. */
const certified = new WeakMap<TLSSocket, { readonly user: User | undefined }>()

function certifiedUser({ socket }: IncomingMessage): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const known = certified.get(socket) ?? { user: readUser(socket) }
  certified.set(socket, known)
  return known.user
}

function readUser(socket: TLSSocket): User | undefined {
  const subject: unknown = socket.getPeerCertificate()?.subject
  if (typeof subject !== 'object' || subject === null) return undefined
  const name = textsOf(Reflect.get(subject, 'CN')).at(-1)
  if (name === undefined || name === '') return undefined
  return { name, groups: withAuthenticated(textsOf(Reflect.get(subject, 'O'))) }
}

function withAuthenticated(groups: readonly string[]): readonly string[] {
  return [...groups.filter((group) => group !== 'system:authenticated'), 'system:authenticated']
}

function textsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((item) => typeof item === 'string')
}
