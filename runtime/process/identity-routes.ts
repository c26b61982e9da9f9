import type { CloudAuthority, NodeRegister } from '../../hub/cloud/index.ts'
import type { ControlRoutes } from '../../platform/http/index.ts'
import { ConfigError, UnavailableError } from '../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, ms, seconds, withDeadline } from '../../platform/time/index.ts'
import { isNodeName } from '../../schemas/index.ts'

export interface IdentityParts {
  readonly authority: { readonly current: Pick<CloudAuthority, 'caHash' | 'tokens'> }
  readonly register: Pick<NodeRegister, 'allow' | 'entries' | 'isHeld' | 'list' | 'revoke'>
  isConnected(node: string): boolean
  readonly clock: Clock
}

/** Less than those who ask wait. */
const API_WITHIN = seconds(8)

/** What `skerry token` and `skerry node` ask of a running cloud half. */
export function identityRoutes({ authority, register, isConnected, clock }: IdentityParts): ControlRoutes {
  /** What needs the Kubernetes API ends before whoever asked takes this process for dead. */
  const inTime = async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(clock, API_WITHIN, signal, work)
    } catch (error) {
      throw error instanceof DeadlineError ? silentApi(error) : error
    }
  }
  return {
    'POST /tokens': (body, signal) =>
      inTime(signal, async (within) => ({ token: await authority.current.tokens.create(tokenRequest(body), within) })),
    'GET /tokens': (_body, signal) =>
      inTime(signal, async (within) => ({ tokens: await authority.current.tokens.list(within) })),
    'POST /tokens/revoke': (body, signal) =>
      inTime(signal, (within) => authority.current.tokens.revoke(textOf(body, 'id'), within)),
    'POST /tokens/rotate': (_body, signal) =>
      inTime(signal, async (within) => ({ ended: await authority.current.tokens.rotate(within) })),
    'GET /authority': async () => ({ caHash: authority.current.caHash }),
    'GET /nodes': async () => ({ nodes: register.list(isConnected) }),
    'POST /nodes/revoke': async (body, signal) => {
      const node = nodeOf(body)
      const isKnown = register.entries.has(node) || register.isHeld(node)
      if (!isKnown && !isForced(body)) {
        throw new ConfigError(
          `no node named ${node} has joined (skerry node list shows them); --force refuses the name all the same`,
          { code: 'PROCESS_NODE_UNKNOWN' },
        )
      }
      return { node, revokedSince: await inTime(signal, (within) => register.revoke(node, within)) }
    },
    'POST /nodes/allow': async (body, signal) => {
      const node = nodeOf(body)
      return { node, wasRevoked: await inTime(signal, (within) => register.allow(node, within)) }
    },
  }
}

function silentApi(cause: DeadlineError): UnavailableError {
  return new UnavailableError(
    'the Kubernetes API of this cloud half does not answer, so nobody can say whether it is done: look again (skerry status, token list, node list) once it does',
    { code: 'PROCESS_API_SILENT', cause },
  )
}

/** Body of `POST /tokens`: `{ ttlMs, node? }`. */
function tokenRequest(body: unknown) {
  const ttlMs = Number(fieldOf(body, 'ttlMs') ?? Number.NaN)
  if (!Number.isFinite(ttlMs) || ttlMs <= 0) {
    throw new ConfigError('The lifetime of a token has to be positive', { code: 'PROCESS_TOKEN_TTL' })
  }
  return { ttl: ms(ttlMs), ...(fieldOf(body, 'node') === undefined ? {} : { node: nodeOf(body) }) }
}

function nodeOf(body: unknown): string {
  const node = textOf(body, 'node')
  if (isNodeName(node)) return node
  throw new ConfigError(`"${node}" is not a node name: use lower-case letters, digits, dots and hyphens`, {
    code: 'PROCESS_NODE_NAME_INVALID',
  })
}

function isForced(body: unknown): boolean {
  return fieldOf(body, 'force') === true
}

function textOf(body: unknown, name: string): string {
  const value = fieldOf(body, name)
  return typeof value === 'string' ? value : ''
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
}
