import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { identityFiles } from '../../hub/edge/index.ts'
import { joinNode } from '../../hub/edge/join/index.ts'
import { parseJoinToken } from '../../hub/edge/join/token.ts'
import type { LinkIdentity } from '../../hub/link/index.ts'
import { systemClock as clock } from '../../platform/time/index.ts'

/** A certificate of the real authority, through its endpoint. */
export async function joinLight(
  nodeName: string,
  { certificates, token, folder }: { readonly certificates: string; readonly token: string; readonly folder: string },
): Promise<LinkIdentity> {
  const own = join(folder, nodeName)
  try {
    const files = identityFiles(own)
    return await joinNode({ address: certificates, token: parseJoinToken(token), nodeName, files, clock })
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
