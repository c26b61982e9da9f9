import type { JsonObject } from '../../../schemas/index.ts'
import type { Answered } from '../../serving/http/answered.ts'
import { userInfo } from '../access/user-info.ts'

const LONGEST_TEXT = 2048
/** A command that runs in a container may hold secrets, in whichever of its words. */
const HIDDEN: ReadonlySet<string> = new Set(['command'])

/** What was wrong with a body is told by showing it, and it may have been a Secret. */
const QUOTING: ReadonlySet<number> = new Set([400, 422])

/** An Event of audit.k8s.io/v1 at level Metadata: who did what to which object, and never what is in it. */
export function auditEvent(answered: Answered): JsonObject {
  const { id, verb, sender, actedAs, address, agent, decision, code } = answered
  const reason = decision?.reason ?? ''
  return {
    ...{ kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'Metadata', auditID: id, stage: 'ResponseComplete' },
    requestURI: pathOf(answered.url),
    verb,
    user: sender ? userInfo(sender) : {},
    ...(actedAs ? { impersonatedUser: userInfo(actedAs) } : {}),
    ...(address === '' ? {} : { sourceIPs: [address] }),
    ...(agent === '' ? {} : { userAgent: bounded(agent) }),
    ...objectRef(answered),
    responseStatus: { metadata: {}, ...failure(answered), code },
    requestReceivedTimestamp: microTime(answered.received),
    stageTimestamp: microTime(answered.answered),
    ...(decision
      ? {
          annotations: {
            'authorization.k8s.io/decision': decision.allowed ? 'allow' : 'forbid',
            'authorization.k8s.io/reason': bounded(reason),
          },
        }
      : {}),
  }
}

function objectRef({ attributes, name: made = '' }: Answered): JsonObject {
  const resource = attributes?.resource
  if (!resource) return {}
  const { group, version, plural, subresource, namespace, name } = resource
  const given = { resource: plural, namespace, name: name || made, apiGroup: group, apiVersion: version, subresource }
  return { objectRef: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')) }
}

function failure({ code, reason, message }: Answered): JsonObject {
  if (code < 400) return {}
  const isShown = message !== undefined && message !== '' && !QUOTING.has(code)
  return { status: 'Failure', ...(isShown ? { message: bounded(message) } : {}), ...(reason ? { reason } : {}) }
}

function pathOf(url: URL): string {
  const query = [...url.searchParams].map(
    ([key, value]) => `${key}=${HIDDEN.has(key) ? '***' : encodeURIComponent(value)}`,
  )
  return bounded(query.length === 0 ? url.pathname : `${url.pathname}?${query.join('&')}`)
}

function bounded(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}...`
}

/** RFC 3339 with microseconds. */
function microTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('Z', '000Z')
}
