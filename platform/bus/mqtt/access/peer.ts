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

/** `127.0.0.0/8` and `::1`, in the forms in which Node.js writes them. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address) || address === '::1'
}

/** The same for an address to listen on. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host)
}
