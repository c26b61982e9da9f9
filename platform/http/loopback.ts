/** `127.0.0.0/8` and `::1`, in the forms in which Node.js writes them. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address) || address === '::1'
}

/** The same for an address to listen on. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host)
}
