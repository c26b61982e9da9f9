/** What is known of a connection before its client says anything. */
export interface Peer {
  readonly address: string
  /** On this machine: the address is of the loopback and nobody passes the connection on. */
  readonly isLocal: boolean
  /** By the address for pods, where nobody comes in without credentials. */
  readonly isForPods?: true
  /** Common name of the certificate that it has proven to hold. */
  readonly certificateName?: string
}
