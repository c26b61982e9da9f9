import type { Clock, Duration } from '../../../platform/time/index.ts'
import { isNodeName } from '../../../schemas/index.ts'
import type { CloudAuthority, ExtKeyUsage } from '../authority/cloud-authority.ts'
import type { NodeCertificate } from '../authority/node-certificate.ts'
import type { TokenClaims } from '../authority/tokens.ts'
import { parseJson } from '../kubernetes/guards.ts'
import type { LineVerdict, NodeRegister } from '../node-register/node-register.ts'

/** What `GET /edge.crt` brought. */
export interface EdgeCertificateRequest {
  readonly node: string | undefined
  readonly authorization: string | undefined
  readonly extKeyUsages: string | undefined
  /** The client certificate, whose key the peer has proved to own; `foreign` for one that is not a node's of our CA. */
  readonly peer: NodeCertificate | 'foreign' | undefined
  /** Reads the DER of the CSR. Not called for somebody who may have no certificate. */
  readonly csr: () => Promise<Uint8Array>
}

export interface EdgeCertificatePorts {
  readonly authority: CloudAuthority
  readonly register: NodeRegister
  readonly clock: Clock
  /** A certificate may be renewed so long after its end. */
  readonly grace: Duration
}

export type EdgeCertificateAnswer =
  | { readonly status: 200; readonly certificate: Uint8Array }
  | { readonly status: 400 | 401 | 403 | 503; readonly reason: string }

/**
 * Gives a node its certificate: on a client certificate of the same node (rotation), else on a join token. Stricter than
 * KubeEdge: the subject has to be that of the node which asks, and a token bound to a node serves that node, once.
 */
export async function answerEdgeCertificate(
  request: EdgeCertificateRequest,
  ports: EdgeCertificatePorts,
  signal: AbortSignal,
): Promise<EdgeCertificateAnswer> {
  const { authority } = ports
  const { node } = request
  if (!node || !isNodeName(node)) return { status: 400, reason: 'the header NodeName has to name a node' }
  const usages = parseUsages(request.extKeyUsages)
  if (!usages) return { status: 400, reason: 'the header ExtKeyUsages has to be a JSON array of 1 and 2' }
  const claim = await admit(request, node, ports, signal)
  if (claim.refusal !== undefined) return { status: 401, reason: claim.refusal }
  const csr = await request.csr()
  const inspected = await authority.inspectRequest(csr, node)
  if (!inspected.ok) return { status: 403, reason: inspected.reason }
  const validity = authority.validity()
  const verdict = await lineFor(claim, { node, keyFingerprint: inspected.keyFingerprint, validity }, ports, signal)
  if (!verdict.ok) return { status: verdict.status, reason: verdict.reason }
  return { status: 200, certificate: await authority.signNode(csr, { node, usages, line: verdict.line, ...validity }) }
}

type Claim = { readonly refusal?: undefined; readonly peer?: NodeCertificate; readonly claims?: TokenClaims }

/** By what the peer may ask at all. */
async function admit(
  request: EdgeCertificateRequest,
  node: string,
  { authority, clock, grace }: EdgeCertificatePorts,
  signal: AbortSignal,
): Promise<Claim | { readonly refusal: string }> {
  const { peer } = request
  if (peer === 'foreign') return { refusal: 'the client certificate is not that of a node of this cloud' }
  if (peer !== undefined) {
    if (peer.node !== node) return { refusal: 'the client certificate is that of another node' }
    const isOver = peer.expires + grace.milliseconds <= clock.now()
    return isOver ? { refusal: tooLate(grace) } : { peer }
  }
  const bearer = /^Bearer (.+)$/i.exec(request.authorization ?? '')?.[1]
  if (!bearer) return { refusal: 'a join token or a client certificate is needed' }
  const verdict = await authority.tokens.verify(bearer, signal)
  if (!verdict.ok) return { refusal: verdict.reason }
  const { claims } = verdict
  if (claims.node !== undefined && claims.node !== node) return { refusal: 'the token is for another node' }
  return { claims }
}

interface Asked {
  readonly node: string
  readonly keyFingerprint: string
  readonly validity: { readonly issued: number; readonly expires: number }
}

/** Uses up the token, and writes down that the node gets a certificate. */
async function lineFor(
  { peer, claims }: Claim,
  { node, keyFingerprint, validity }: Asked,
  { authority, register }: EdgeCertificatePorts,
  signal: AbortSignal,
): Promise<LineVerdict> {
  if (peer) return register.renew(peer, validity, signal)
  if (!claims) return { ok: false, status: 401, reason: 'a join token or a client certificate is needed' }
  const redemption = await authority.tokens.redeem(claims, keyFingerprint, signal)
  if (!redemption.ok) return { ok: false, status: 401, reason: redemption.reason }
  return register.admit(node, validity, claims.made, signal)
}

function tooLate({ milliseconds }: Duration): string {
  const days = Math.round(milliseconds / 86_400_000)
  return `the certificate ended more than ${days} days ago and is not renewed any more: create a token (skerry token create) and join again (skerry join --force)`
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
