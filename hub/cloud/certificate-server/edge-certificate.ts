import { isNodeName } from '../../../schemas/index.ts'
import type { CloudAuthority, ExtKeyUsage } from '../authority/cloud-authority.ts'
import { parseJson } from '../kubernetes/guards.ts'

/** What `GET /edge.crt` brought. */
export interface EdgeCertificateRequest {
  readonly node: string | undefined
  readonly authorization: string | undefined
  readonly extKeyUsages: string | undefined
  /** Node of a client certificate that chains to our CA and is in date; `foreign` for one that does not. */
  readonly peer: string | 'foreign' | undefined
  /** DER of the CSR. */
  readonly csr: Uint8Array
}

export type EdgeCertificateAnswer =
  | { readonly status: 200; readonly certificate: Uint8Array }
  | { readonly status: 400 | 401 | 403; readonly reason: string }

/**
 * Gives a node its certificate: on a client certificate of the same node (rotation), else on a join token. Stricter than
 * KubeEdge: the subject has to be that of the node which asks, and a token bound to a node serves that node, once.
 */
export async function answerEdgeCertificate(
  request: EdgeCertificateRequest,
  authority: CloudAuthority,
  signal: AbortSignal,
): Promise<EdgeCertificateAnswer> {
  const { node, csr } = request
  if (!node || !isNodeName(node)) return { status: 400, reason: 'the header NodeName has to name a node' }
  const usages = parseUsages(request.extKeyUsages)
  if (!usages) return { status: 400, reason: 'the header ExtKeyUsages has to be a JSON array of 1 and 2' }
  const admission = await admit(request, node, authority)
  if (admission.refusal !== undefined) return { status: 401, reason: admission.refusal }
  const inspected = await authority.inspectRequest(csr, node)
  if (!inspected.ok) return { status: 403, reason: inspected.reason }
  const { claims } = admission
  if (claims?.node !== undefined && !(await authority.redeem(claims, inspected.keyFingerprint, signal))) {
    return { status: 401, reason: 'the token was used already: create a new one' }
  }
  return { status: 200, certificate: await authority.signNode(csr, node, usages) }
}

type Admission =
  | { readonly refusal: string }
  | {
      readonly refusal?: undefined
      readonly claims?: { readonly id: string; readonly expires: number; readonly node?: string }
    }

async function admit(request: EdgeCertificateRequest, node: string, authority: CloudAuthority): Promise<Admission> {
  if (request.peer === 'foreign') return { refusal: 'the client certificate is not one of this cloud, or out of date' }
  if (request.peer !== undefined) {
    return request.peer === node ? {} : { refusal: 'the client certificate is that of another node' }
  }
  const bearer = /^Bearer (.+)$/i.exec(request.authorization ?? '')?.[1]
  if (!bearer) return { refusal: 'a join token or a client certificate is needed' }
  const verdict = await authority.verifyToken(bearer)
  if (!verdict.ok) return { refusal: verdict.reason }
  const { claims } = verdict
  if (claims.node !== undefined && claims.node !== node) return { refusal: 'the token is for another node' }
  return { claims }
}

function parseUsages(header: string | undefined): readonly ExtKeyUsage[] | undefined {
  if (header === undefined || header === '') return [2]
  const given = parseJson(header)
  if (!Array.isArray(given)) return undefined
  const usages: ExtKeyUsage[] = []
  for (const usage of given) {
    if (usage !== 1 && usage !== 2) return undefined
    if (!usages.includes(usage)) usages.push(usage)
  }
  return usages.length > 0 ? usages : [2]
}
