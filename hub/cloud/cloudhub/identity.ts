import type { IncomingHttpHeaders } from 'node:http'
import { EPOCH_HEADER, SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../../schemas/index.ts'
import { nodeOfSubject } from '../authority/cloud-authority.ts'
import type { NodePeer } from './delivery.ts'

export type Identified =
  | { readonly ok: true; readonly peer: Omit<NodePeer, 'session'> }
  | { readonly ok: false; readonly status: 400 | 403; readonly reason: string }

const LONGEST_EPOCH = 64

/** Who dials: the certificate decides, and the header `node_id` of the upgrade has to say the same. */
export function identify(
  headers: IncomingHttpHeaders,
  subject: { readonly CN?: unknown; readonly O?: unknown } | undefined,
): Identified {
  const claimed = headers['node_id']
  if (typeof claimed !== 'string' || claimed === '') {
    return { ok: false, status: 400, reason: 'the header node_id is missing' }
  }
  const node = nodeOfSubject(subject)
  if (node === undefined) return { ok: false, status: 403, reason: 'the client certificate is not that of a node' }
  if (node !== claimed) return { ok: false, status: 403, reason: 'node_id is not the node of the client certificate' }
  const use = headers['connectionuse']
  if (use !== undefined && use !== 'msg') return { ok: false, status: 400, reason: 'ConnectionUse has to be msg' }
  const skerry = headers[SKERRY_HEADER] === SKERRY_WIRE_VERSION
  const epoch = headers[EPOCH_HEADER]
  return {
    ok: true,
    peer: { node, skerry, epoch: skerry && typeof epoch === 'string' ? epoch.slice(0, LONGEST_EPOCH) : '' },
  }
}
