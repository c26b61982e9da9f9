import type { Duration } from '../../../platform/time/index.ts'
import { NODE_ORGANIZATION, nodeCommonName } from '../../../schemas/index.ts'
import type { TokenClaims, TokenVerdict } from './tokens.ts'

/** DER of a certificate and of its key (SEC1), as KubeEdge's Secrets hold them. */
export interface KeyedCertificate {
  readonly certificate: Uint8Array
  readonly key: Uint8Array
}

/** For node:tls. */
export interface ServingCertificate {
  readonly certificatePem: string
  readonly keyPem: string
}

export interface JoinTokenRequest {
  /** The only node that may join with it, once; absent: any node until it expires. */
  readonly node?: string
  /** Default 24 h. */
  readonly ttl?: Duration
}

/** EKUs by Go's numbers: 1 server authentication, 2 client authentication. */
export type ExtKeyUsage = 1 | 2

export type RequestVerdict =
  | { readonly ok: true; readonly keyFingerprint: string }
  | { readonly ok: false; readonly reason: string }

/** Identity of the cloud half and of its nodes: one CA, kept in Secrets and shared by all replicas. */
export interface CloudAuthority {
  readonly caCertificate: Uint8Array
  readonly caPem: string
  /** Lower-case hex SHA-256 of the CA certificate: the first part of each token. */
  readonly caHash: string
  readonly serving: ServingCertificate
  createToken(request: JoinTokenRequest): Promise<string>
  verifyToken(bearer: string): Promise<TokenVerdict>
  /** Marks a node-bound token as used by this key; false when another key used it before. */
  redeem(claims: TokenClaims, keyFingerprint: string, signal: AbortSignal): Promise<boolean>
  /** Checks a request (DER) against the node's name; the fingerprint of its key when it is good. */
  inspectRequest(csr: Uint8Array, node: string): Promise<RequestVerdict>
  /** Signs a request that `inspectRequest` found good. */
  signNode(csr: Uint8Array, node: string, usages: readonly ExtKeyUsage[]): Promise<Uint8Array>
}

/** The node that a certificate's subject names; nothing where it is not a node's. */
export function nodeOfSubject(
  subject: { readonly CN?: unknown; readonly O?: unknown } | undefined,
): string | undefined {
  const organizations = Array.isArray(subject?.O) ? subject.O : [subject?.O]
  const name = subject?.CN
  if (organizations[0] !== NODE_ORGANIZATION || typeof name !== 'string') return undefined
  const prefix = nodeCommonName('')
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined
}
