import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readFileIfPresent } from '../../../platform/files/index.ts'
import { callControl } from '../../../platform/http/index.ts'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'

/**
 * Proves that the edge in DIR/edge has joined the cloud in DIR/cloud. After somebody removed one of the two, the edge would
 * wait for ever for a cloud that no longer exists, with devices that the new one has never heard of.
 */
export async function assertSameCloud(directory: string): Promise<void> {
  const ca = await readFileIfPresent(join(directory, 'edge', 'pki', 'rootCA.crt'))
  const cloud = join(directory, 'cloud')
  const answer = await callControl({ dir: cloud, method: 'GET', path: '/authority', deadline: seconds(10) })
  const hash = typeof answer === 'object' && answer !== null && 'caHash' in answer ? answer.caHash : undefined
  const known = ca === undefined ? undefined : fingerprintOf(ca)
  if (known === undefined || known === hash) return
  throw new RefusedError(
    `the edge in ${join(directory, 'edge')} belongs to another cloud than the one in ${cloud}: bring that one back, or remove the edge folder too to begin anew`,
    { code: 'PROCESS_EDGE_OF_ANOTHER_CLOUD' },
  )
}

/** Hex SHA-256 of the DER, as join tokens carry it; undefined for what is no certificate: the edge itself names that. */
function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
  } catch {
    // Damaged; see above.
    return undefined
  }
}
