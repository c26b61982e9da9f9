import type { IncomingMessage } from 'node:http'
import { ANONYMOUS, type Attributes, EVERYBODY, refusal, rightTo } from '../../kube/rbac/index.ts'
import { badRequest } from '../../kube/status.ts'
import type { User } from '../user.ts'
import type { Authorizer } from './authorization.ts'

const EXTRA_PREFIX = 'impersonate-extra-'
const AUTHENTICATION = 'authentication.k8s.io'
const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

type Sent = Pick<IncomingMessage, 'headersDistinct'>

/** Whom a request wants to be taken for. */
interface Wanted {
  readonly name: string
  readonly groups: readonly string[]
  readonly uid: string
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/**
 * The user that a request says it acts as (`kubectl --as`), if its sender may impersonate each part of him; undefined where it
 * names none. Throws a Status.
 */
export function impersonated(request: Sent, sender: User, authorize: Authorizer): User | undefined {
  const wanted = wantedIn(request)
  const rights = rightsFor(wanted)
  if (rights.length === 0) return undefined
  if (wanted.name === '') throw badRequest(`requested [${rights.map(told).join(' ')}] without impersonating a user`)
  for (const right of rights) {
    const decision = authorize(sender, right)
    if (!decision.allowed) throw refusal(sender, right, decision.reason)
  }
  const { name, uid, extra } = wanted
  return { name, groups: groupsOf(wanted), ...(uid === '' ? {} : { uid }), extra }
}

function wantedIn({ headersDistinct }: Sent): Wanted {
  const all = (name: string) => headersDistinct[name] ?? []
  const extra: Record<string, readonly string[]> = {}
  for (const [header, values] of Object.entries(headersDistinct)) {
    if (header.startsWith(EXTRA_PREFIX) && values) extra[decoded(header.slice(EXTRA_PREFIX.length))] = values
  }
  const [name = ''] = all('impersonate-user')
  const [uid = ''] = all('impersonate-uid')
  return { name, groups: all('impersonate-group'), uid, extra }
}

function rightsFor({ name, groups, uid, extra }: Wanted): readonly Attributes[] {
  const right = (more: Parameters<typeof rightTo>[1]) => rightTo('impersonate', more)
  const [, namespace, account] = ACCOUNT.exec(name) ?? []
  const user =
    namespace !== undefined && account !== undefined
      ? right({ plural: 'serviceaccounts', namespace, name: account })
      : right({ plural: 'users', name })
  return [
    ...(name === '' ? [] : [user]),
    ...groups.map((group) => right({ plural: 'groups', name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => right({ group: AUTHENTICATION, plural: 'userextras', subresource: key, name: value })),
    ),
    ...(uid === '' ? [] : [right({ group: AUTHENTICATION, plural: 'uids', name: uid })]),
  ]
}

/** Groups that are said are all; else a service account has its own. */
function groupsOf({ name, groups }: Wanted): readonly string[] {
  const namespace = ACCOUNT.exec(name)?.[1]
  const own =
    groups.length === 0 && namespace !== undefined
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      : groups
  const mark = name === 'system:anonymous' ? ANONYMOUS : EVERYBODY
  return own.includes(mark) || own.includes(ANONYMOUS) ? own : [...own, mark]
}

/** As Go prints the reference that Kubernetes makes of it. */
function told({ resource }: Attributes): string {
  const kinds: Readonly<Record<string, string>> = { groups: 'Group', userextras: 'UserExtra', uids: 'UID' }
  const { plural = '', name = '', subresource = '', group = '' } = resource ?? {}
  return `{${[kinds[plural] ?? 'User', '', name, '', group === '' ? '' : `${group}/v1`, '', subresource].join(' ')}}`
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch (error) {
    if (error instanceof URIError) return key
    throw error
  }
}
