import type { X509Certificate } from 'node:crypto'
import type { JoinTokenRequest, JoinTokens } from './join-tokens.ts'
import type { CertificateLine, NodeCertificate } from './node-certificate.ts'

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

/** EKUs by Go's numbers: 1 server authentication, 2 client authentication. */
export type ExtKeyUsage = 1 | 2

export type RequestVerdict =
  | { readonly ok: true; readonly keyFingerprint: string }
  | { readonly ok: false; readonly reason: string }

/** What a node's certificate is to say beside the node's name. */
export interface NodeProfile {
  readonly node: string
  readonly usages: readonly ExtKeyUsage[]
  readonly line: CertificateLine
  /** Unix ms. */
  readonly issued: number
  readonly expires: number
}

/** Identity of the cloud half and of its nodes: one CA, kept in Secrets and shared by all replicas. */
export interface CloudAuthority {
  readonly caCertificate: Uint8Array
  readonly caPem: string
  /** Lower-case hex SHA-256 of the CA certificate: the first part of each token. */
  readonly caHash: string
  /** The present one; `onServing` tells of a later one. */
  readonly serving: ServingCertificate
  onServing(handler: (serving: ServingCertificate) => void): Disposable
  /** A serving certificate for this process alone, with names that other replicas do not have. */
  serveAs(names: readonly string[]): Promise<ServingCertificate>
  /** By which this process shows other replicas that it is one: for both ends of a connection, never kept anywhere. */
  issueReplica(): Promise<ServingCertificate>
  /** Whether the certificate that a peer has shown is that of a replica, which no node has. Its dates are not looked at. */
  isReplica(certificate: X509Certificate | undefined): boolean
  readonly tokens: JoinTokens
  createToken(request: JoinTokenRequest): Promise<string>
  /** From now to the end of a certificate that is issued now, Unix ms. */
  validity(): { readonly issued: number; readonly expires: number }
  /** Whose certificate this is; nothing for one that is not a node's of this CA. Its dates and revocation are not looked at. */
  nodeCertificate(certificate: X509Certificate | undefined): NodeCertificate | undefined
  /** Checks a request (DER) against the node's name; the fingerprint of its key when it is good. */
  inspectRequest(csr: Uint8Array, node: string): Promise<RequestVerdict>
  /** Signs a request that `inspectRequest` found good. */
  signNode(csr: Uint8Array, profile: NodeProfile): Promise<Uint8Array>
  /** Renews the serving certificate where it is time; what other replicas have renewed is taken over. */
  refreshServing(signal: AbortSignal): Promise<boolean>
}
