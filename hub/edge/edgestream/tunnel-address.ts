/** KubeEdge's port of the tunnel server. */
const TUNNEL_PORT = 10004

export interface Announced {
  readonly isSkerry: boolean
  /** What the cloud said in TUNNEL_HEADER; empty: nothing. */
  readonly tunnel: string
}

/**
 * HOST:PORT of the tunnel server: as configured, or beside CloudHub on the port that it announces. Undefined: the cloud has none, or
 * is not known yet.
 */
export function tunnelAddress(
  { server, tunnel }: { readonly server: string; readonly tunnel?: string | undefined },
  announced: Announced | undefined,
): string | undefined {
  if (tunnel !== undefined) return tunnel === 'off' ? undefined : tunnel
  if (!announced) return undefined
  const host = server.replace(/:\d*$/, '')
  if (!announced.isSkerry || announced.tunnel === '') return `${host}:${TUNNEL_PORT}`
  const port = /^\d{1,5}$/.test(announced.tunnel) ? Number(announced.tunnel) : 0
  return port > 0 && port < 65_536 ? `${host}:${port}` : undefined
}
