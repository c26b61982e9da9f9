import { join } from 'node:path'
import { type Clock, minutes } from '../../../platform/time/index.ts'
import { prepareDataDirectory } from '../data-directory.ts'
import { requestToken } from '../request-token.ts'

export interface OwnNode {
  /** Data directory of the `skerry up`; both halves have theirs in it. */
  readonly directory: string
  readonly node: string
  /** HOST:PORT of the certificate endpoint of its cloud half, which runs. */
  readonly certificates: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Exactly as a remote gateway: a token from the cloud half, then the certificate for it. */
export async function joinOwnNode({ directory, node, certificates, clock, signal }: OwnNode): Promise<void> {
  const { identityFiles, joinNode, parseJoinToken } = await import('../../../hub/edge/join/index.ts')
  const { token } = await requestToken(join(directory, 'cloud'), { ttl: minutes(10), node })
  const edge = join(directory, 'edge')
  await prepareDataDirectory(edge)
  await joinNode({
    address: certificates,
    token: parseJoinToken(token),
    nodeName: node,
    files: identityFiles(edge),
    clock,
    signal,
  })
}
