import type { AuthorityHolder, NodeRegister } from '../../hub/cloud/index.ts'
import type { ControlRoutes } from '../../platform/http/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import { ms } from '../../platform/time/index.ts'
import { isNodeName } from '../../schemas/index.ts'

export interface IdentityParts {
  readonly authority: AuthorityHolder
  readonly register: NodeRegister
  isConnected(node: string): boolean
}

/** What `skerry token` and `skerry node` ask of a running cloud half. */
export function identityRoutes({ authority, register, isConnected }: IdentityParts): ControlRoutes {
  return {
    'POST /tokens': async (body) => ({ token: await authority.current.createToken(tokenRequest(body)) }),
    'GET /tokens': async () => ({ tokens: await authority.current.tokens.list() }),
    'POST /tokens/revoke': async (body) => authority.current.tokens.revoke(textOf(body, 'id')),
    'POST /tokens/rotate': async () => ({ ended: await authority.current.tokens.rotate() }),
    'GET /authority': async () => ({ caHash: authority.current.caHash }),
    'GET /nodes': async () => ({ nodes: register.list(isConnected) }),
    'POST /nodes/revoke': async (body) => {
      const node = nodeOf(body)
      const isKnown = register.entries.has(node) || register.isHeld(node)
      if (!isKnown && !isForced(body)) {
        throw new ConfigError(
          `no node named ${node} has joined (skerry node list shows them); --force refuses the name all the same`,
          { code: 'PROCESS_NODE_UNKNOWN' },
        )
      }
      return { node, revokedSince: await register.revoke(node) }
    },
    'POST /nodes/allow': async (body) => {
      const node = nodeOf(body)
      return { node, wasRevoked: await register.allow(node) }
    },
  }
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
