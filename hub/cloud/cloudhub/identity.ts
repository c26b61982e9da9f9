import type { IncomingHttpHeaders } from 'node:http'
import {
  EPOCH_HEADER,
  SERVICES_HEADER,
  SERVICES_KEPT,
  SKERRY_HEADER,
  SKERRY_WIRE_VERSION,
} from '../../../schemas/index.ts'
import type { NodeCertificate } from '../authority/node-certificate.ts'
import type { NodePeer } from './delivery.ts'

export type Identified =
  | { readonly ok: true; readonly peer: Omit<NodePeer, 'session'>; readonly certificate: NodeCertificate }
  | { readonly ok: false; readonly status: number; readonly reason: string }

const LONGEST_EPOCH = 64

/**
 * Who dials: the certificate decides, the header `node_id` of the upgrade has to say the same, and `refusal` says whether this
 * certificate still counts.
 */
export function identify(
  headers: IncomingHttpHeaders,
  certificate: NodeCertificate | undefined,
  refusal: (certificate: NodeCertificate) => { readonly status: number; readonly reason: string } | undefined,
): Identified {
  const claimed = headers['node_id']
  if (typeof claimed !== 'string' || claimed === '') {
    return { ok: false, status: 400, reason: 'the header node_id is missing' }
  }
  if (certificate === undefined) {
    return { ok: false, status: 403, reason: 'the client certificate is not that of a node' }
  }
  const { node } = certificate
  if (node !== claimed) return { ok: false, status: 403, reason: 'node_id is not the node of the client certificate' }
  const use = headers['connectionuse']
  if (use !== undefined && use !== 'msg') return { ok: false, status: 400, reason: 'ConnectionUse has to be msg' }
  const refused = refusal(certificate)
  if (refused) return { ok: false, status: refused.status, reason: refused.reason }
  const skerry = headers[SKERRY_HEADER] === SKERRY_WIRE_VERSION
  const epoch = headers[EPOCH_HEADER]
  const peer = { node, skerry, epoch: skerry && typeof epoch === 'string' ? epoch.slice(0, LONGEST_EPOCH) : '' }
  const keepsServices = skerry && headers[SERVICES_HEADER] === SERVICES_KEPT
  return { ok: true, peer: { ...peer, ...(keepsServices ? { keepsServices } : {}) }, certificate }
}
