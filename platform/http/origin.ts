import { isIP } from 'node:net'

/**
 * Whether a web page may open a connection. Programs name no origin. A page of the same host may, where that host is an address
 * or localhost: any other name could be made to point here by whoever owns it. Others have to be listed.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true
  if (allowed.some((each) => each.toLowerCase().replace(/\/$/, '') === origin.toLowerCase())) return true
  const from = hostnameOf(origin)
  const to = hostnameOf(`http://${host ?? ''}`)
  return from !== undefined && from === to && isUnmistakable(from)
}

/**
 * Whether a request may be meant for this server by its Host: an address, localhost, or one of `names`. Any other name could be made
 * to point here by whoever owns it, and his pages would be of the same origin then (DNS rebinding).
 */
export function isHostTrusted(host: string | undefined, names: readonly string[] = []): boolean {
  const hostname = hostnameOf(`http://${host ?? ''}`)
  return hostname !== undefined && (isUnmistakable(hostname) || names.some((name) => name.toLowerCase() === hostname))
}

function hostnameOf(url: string): string | undefined {
  const parsed = URL.parse(url)
  return parsed === null || parsed.hostname === '' ? undefined : parsed.hostname
}

function isUnmistakable(hostname: string): boolean {
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
}
