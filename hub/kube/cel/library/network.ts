import { isIPv4, isIPv6 } from 'node:net'
import { CelError } from '../errors.ts'
import { type CelValue, type IpValue, listValue, mapValue } from '../values.ts'
import { boxed, text } from './arguments.ts'
import { define, type Overload } from './signature.ts'

type Cidr = Extract<CelValue, { readonly kind: 'cidr' }>

/** Addresses, ranges and URLs (Kubernetes, "CEL in Kubernetes", IP, CIDR and URL libraries). */
export const NETWORK: readonly Overload[] = [
  define('isIP(string): bool', (args) => parseIp(text(args, 0)) !== undefined),
  define('ip(string): ip', (args) => ipOf(text(args, 0))),
  define('ip.isCanonical(string): bool', (args) => ipText(ipOf(text(args, 0))) === text(args, 0)),
  define('string(ip): string', (args) => ipText(boxed(args, 0, 'ip'))),
  define('ip -> family(): int', (args) => BigInt(boxed(args, 0, 'ip').family)),
  ...is('isUnspecified', (ip) => ip.bits === 0n),
  ...is('isLoopback', (ip) => (ip.family === 4 ? ip.bits >> 24n === 127n : ip.bits === 1n)),
  ...is('isLinkLocalMulticast', (ip) => (ip.family === 4 ? ip.bits >> 8n === 0xe00000n : isMulticast(ip, 2n))),
  ...is('isLinkLocalUnicast', (ip) => (ip.family === 4 ? ip.bits >> 16n === 0xa9fen : ip.bits >> 118n === 0x3fan)),
  ...is('isGlobalUnicast', isGlobalUnicast),
  define('isCIDR(string): bool', (args) => parseCidr(text(args, 0)) !== undefined),
  define('cidr(string): cidr', (args) => cidrOf(text(args, 0))),
  define('string(cidr): string', (args) => {
    const { ip, length } = boxed(args, 0, 'cidr')
    return `${ipText(ip)}/${length}`
  }),
  define('cidr -> containsIP(ip): bool', (args) => holds(boxed(args, 0, 'cidr'), boxed(args, 1, 'ip'))),
  define('cidr -> containsIP(string): bool', (args) => holds(boxed(args, 0, 'cidr'), ipOf(text(args, 1)))),
  define('cidr -> containsCIDR(cidr): bool', (args) => holdsAll(boxed(args, 0, 'cidr'), boxed(args, 1, 'cidr'))),
  define('cidr -> containsCIDR(string): bool', (args) => holdsAll(boxed(args, 0, 'cidr'), cidrOf(text(args, 1)))),
  define('cidr -> ip(): ip', (args) => boxed(args, 0, 'cidr').ip),
  define('cidr -> masked(): cidr', (args) => masked(boxed(args, 0, 'cidr'))),
  define('cidr -> prefixLength(): int', (args) => BigInt(boxed(args, 0, 'cidr').length)),
  define('isURL(string): bool', (args) => parseUrl(text(args, 0)) !== undefined),
  define('url(string): url', (args) => {
    const url = parseUrl(text(args, 0))
    if (!url)
      throw new CelError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text(args, 0))}: invalid URI for request`,
      )
    return { kind: 'url', text: text(args, 0), url }
  }),
  ...of('getScheme', ({ url }) => (url.host === '' && !hasScheme(url) ? '' : url.protocol.slice(0, -1))),
  ...of('getHost', ({ text: whole, url }) => hostIn(whole) ?? url.host),
  ...of('getHostname', ({ url }) => url.hostname.replace(/^\[(.*)\]$/, '$1')),
  ...of('getPort', ({ text: whole }) => /:(\d+)$/.exec(hostIn(whole) ?? '')?.[1] ?? ''),
  ...of('getEscapedPath', ({ text: whole }) => /^(?:[a-z][\w+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(whole)?.[1] ?? ''),
  define('url -> getQuery(): map(string, list(string))', (args) => {
    const query = boxed(args, 0, 'url').url.searchParams
    const names = [...new Set(query.keys())]
    return mapValue(names.map((name) => [name, listValue(query.getAll(name))] as const))
  }),
]

function is(name: string, holdsFor: (ip: IpValue) => boolean): readonly Overload[] {
  return [define(`ip -> ${name}(): bool`, (args) => holdsFor(boxed(args, 0, 'ip')))]
}

function of(name: string, part: (value: Extract<CelValue, { readonly kind: 'url' }>) => string): readonly Overload[] {
  return [define(`url -> ${name}(): string`, (args) => part(boxed(args, 0, 'url')))]
}

/** Without zones, and without IPv4 written as IPv6. */
export function parseIp(value: string): IpValue | undefined {
  if (isIPv4(value)) return { kind: 'ip', family: 4, bits: numberOf(value.split('.'), 10, 8n) }
  if (!isIPv6(value) || value.includes('%')) return undefined
  if (value.includes('.') && /^::ffff:/i.test(value)) return undefined
  const url = URL.parse(`http://[${value}]`)
  const bits = url ? numberOf(groupsOf(url.hostname.slice(1, -1)), 16, 16n) : 0n
  return bits >> 32n === 0xffffn ? undefined : { kind: 'ip', family: 6, bits }
}

function ipOf(value: string): IpValue {
  const ip = parseIp(value)
  if (!ip) {
    throw new CelError(
      `IP Address ${JSON.stringify(value)} parse error during conversion from string: ParseAddr(${JSON.stringify(value)}): unable to parse IP`,
    )
  }
  return ip
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const [before, after] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')))
  if (tail === undefined) return before ?? []
  const gap = 8 - (before?.length ?? 0) - (after?.length ?? 0)
  return [...(before ?? []), ...Array.from({ length: gap }, () => '0'), ...(after ?? [])]
}

function numberOf(groups: readonly string[], base: number, width: bigint): bigint {
  return groups.reduce((bits, each) => (bits << width) | BigInt(Number.parseInt(each, base)), 0n)
}

function ipText({ family, bits }: IpValue): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(16 * (7 - index))) & 0xffffn).toString(16))
  return URL.parse(`http://[${groups.join(':')}]`)?.hostname.slice(1, -1) ?? ''
}

function isMulticast(ip: IpValue, scope: bigint): boolean {
  return ip.bits >> 120n === 0xffn && ((ip.bits >> 112n) & 15n) === scope
}

function isGlobalUnicast(ip: IpValue): boolean {
  if (ip.family === 4) {
    const [first, all] = [ip.bits >> 24n, ip.bits]
    const isLocal = all === 0n || all === 0xffff_ffffn || first === 127n || ip.bits >> 16n === 0xa9fen
    return !isLocal && !(first >= 224n && first < 240n)
  }
  return ip.bits > 1n && ip.bits >> 120n !== 0xffn && ip.bits >> 118n !== 0x3fan
}

function parseCidr(value: string): Cidr | undefined {
  const [address = '', length = '', ...rest] = value.split('/')
  const ip = parseIp(address)
  if (!ip || rest.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
  return Number(length) <= widthOf(ip) ? { kind: 'cidr', ip, length: Number(length) } : undefined
}

function cidrOf(value: string): Cidr {
  const cidr = parseCidr(value)
  if (!cidr) {
    throw new CelError(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(value)}): no valid prefix`,
    )
  }
  return cidr
}

function widthOf(ip: IpValue): number {
  return ip.family === 4 ? 32 : 128
}

function masked({ ip, length }: Cidr): Cidr {
  const shift = BigInt(widthOf(ip) - length)
  return { kind: 'cidr', ip: { ...ip, bits: (ip.bits >> shift) << shift }, length }
}

function holds({ ip, length }: Cidr, other: IpValue): boolean {
  const shift = BigInt(widthOf(ip) - length)
  return ip.family === other.family && ip.bits >> shift === other.bits >> shift
}

function holdsAll(cidr: Cidr, other: Cidr): boolean {
  return holds(cidr, other.ip) && cidr.length <= other.length
}

/** An absolute URL, or a path from the root. */
function parseUrl(value: string): URL | undefined {
  if (/\s/.test(value)) return undefined
  if (value.startsWith('/')) return URL.parse(value, 'path://') ?? undefined
  return URL.parse(value) ?? undefined
}

function hasScheme(url: URL): boolean {
  return url.protocol !== 'path:'
}

/** A URL of the platform forgets the port that its scheme has anyway. */
function hostIn(whole: string): string | undefined {
  const [, host] = /^[a-z][\w+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(whole) ?? []
  return host
}
