import type { IncomingMessage } from 'node:http'
import { isHostTrusted } from '../../../../platform/http/index.ts'
import { ServiceError } from '../service-error.ts'

/** What a caller may do, as MQTT has it. */
export interface CallerRights {
  /** Why it may not publish on a topic, or nothing. */
  refusePublish(topic: string): string | undefined
}

export interface Caller {
  readonly user: string | undefined
  readonly rights: CallerRights
}

/** Knows people and programs as the broker of this node does. Codes of refusals are of MQTT 3.1.1 §3.2.2.3: 3 is not now. */
export interface CallerAccess {
  open(): Promise<void>
  identify(
    peer: { readonly address: string; readonly isLocal: boolean },
    user: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Caller | { readonly returnCode: number; readonly reason: string }>
}

/** Under it stands what may be called: whoever may publish on `servicebus/<namespace>/<rule>` may call the rule. */
const CALLS = 'servicebus'
/** Of a URL that a KubeEdge cloud has registered, without a rule. */
const BARE_URL = `${CALLS}/url`

/**
 * Who calls. A page in a browser does not, whoever looks at it: browsers name the page, in one header or another, and a Host that is
 * no address and not localhost was made to point here (DNS rebinding).
 */
export async function callerOf(
  request: IncomingMessage,
  { access, origins }: { readonly access: CallerAccess; readonly origins: readonly string[] },
): Promise<Caller> {
  const { host, authorization } = request.headers
  if (!isHostTrusted(host)) {
    throw new ServiceError(421, 'Call ServiceBus by its address or as localhost', {
      code: 'HUB_CALLER_HOST_REFUSED',
      fields: { host: host?.slice(0, 200) },
    })
  }
  const page = pageOf(request)
  if (page !== undefined && !origins.some((each) => each.toLowerCase().replace(/\/$/, '') === page.toLowerCase())) {
    throw new ServiceError(
      403,
      'Pages in browsers may not call: name the origin in serviceBus.listener.origins if it should',
      {
        code: 'HUB_CALLER_PAGE_REFUSED',
        fields: { origin: page.slice(0, 200) },
      },
    )
  }
  const { user, password } = credentialsOf(authorization)
  const address = request.socket.remoteAddress ?? 'unknown'
  // A proxy on this machine brings callers of others.
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => request.headers[name])
  const found = await access.identify({ address, isLocal: !isForwarded }, user, password)
  if (!('reason' in found)) return found
  if (found.returnCode === 3) throw new ServiceError(503, 'Too many callers log in', { code: 'HUB_CALLER_LOGINS_FULL' })
  throw unauthorized(found.reason)
}

/** Why the caller may not call it, or nothing; `rule` is absent for a bare URL. */
export function refusalOf({ rights }: Caller, rule: string | undefined): string | undefined {
  return rights.refusePublish(rule === undefined ? BARE_URL : `${CALLS}/${rule}`)
}

export function forbidden({ user }: Caller, rule: string | undefined, reason: string): ServiceError {
  if (user === undefined) return unauthorized(reason)
  const topic = rule === undefined ? BARE_URL : `${CALLS}/${rule}`
  return new ServiceError(403, `User ${user} may not call it: add "${topic}" to publish of the user in mqtt.clients`, {
    code: 'HUB_CALLER_FORBIDDEN',
    fields: { user, topic },
  })
}

function unauthorized(reason: string): ServiceError {
  return new ServiceError(
    401,
    'Show the name and password of an MQTT user of this node (Basic), or set mqtt.anonymous: full',
    {
      code: 'HUB_CALLER_UNKNOWN',
      fields: { reason },
    },
  )
}

/** The origin of the page that a browser calls for; undefined for programs. */
function pageOf({ headers }: IncomingMessage): string | undefined {
  if (headers.origin !== undefined) return headers.origin
  if (headers.referer !== undefined) return URL.parse(headers.referer)?.origin ?? 'null'
  const site = headers['sec-fetch-site']
  return site === undefined ? undefined : 'null'
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
