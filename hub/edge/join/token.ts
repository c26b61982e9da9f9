import { ConfigError } from '../../../platform/lifecycle/index.ts'

/** What an edge reads of a join token without being able to verify it. */
export interface JoinToken {
  /** Hex SHA-256 of the DER of the cloud's CA: whom to trust. */
  readonly caHash: string
  /** The three-part JWT that the cloud verifies. */
  readonly bearer: string
  /** HOST:PORT of the certificate endpoint, a hint. */
  readonly address?: string
  /** HOST:PORT of CloudHub, another hint. */
  readonly server?: string
  /** The only node that the cloud lets join with it. */
  readonly node?: string
}

/** `<caHash>.<header>.<payload>.<signature>`. Throws ConfigError. */
export function parseJoinToken(text: string): JoinToken {
  const parts = text.trim().split('.')
  const [caHash = '', , payload = ''] = parts
  if (parts.length !== 4 || !/^[0-9a-f]{64}$/.test(caHash)) {
    throw new ConfigError('The token is not a join token: copy the whole line that skerry token create printed', {
      code: 'HUB_TOKEN_MALFORMED',
    })
  }
  const address = claimOf(payload, 'address')
  const server = claimOf(payload, 'server')
  const node = claimOf(payload, 'node')
  return {
    caHash,
    bearer: parts.slice(1).join('.'),
    ...(address === undefined ? {} : { address }),
    ...(server === undefined ? {} : { server }),
    ...(node === undefined ? {} : { node }),
  }
}

function claimOf(payload: string, name: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const value = typeof claims === 'object' && claims !== null ? Reflect.get(claims, name) : undefined
    return typeof value === 'string' ? value : undefined
  } catch {
    // Only the cloud can say whether a token is good; an unreadable hint is no hint.
    return undefined
  }
}
