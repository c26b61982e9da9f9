import { isIP } from 'node:net'

/** Where metadata of machines in a cloud is served, with credentials in it. */
const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata', 'metadata.google.internal', 'instance-data'])
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(['fd00:ec2::254', '100.100.100.200', '168.63.129.16'])

/** Why a REST target may not be called by this URL. `allowsLocal`: link-local addresses may be. */
export function refuseUrl(text: string, allowsLocal: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return 'must be an http or https URL'
  if (url.username !== '' || url.password !== '') return 'must hold no credentials'
  if (url.hash !== '') return 'must have no fragment'
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (!allowsLocal && (METADATA_NAMES.has(host.toLowerCase()) || (isIP(host) !== 0 && isLinkLocal(host)))) {
    return 'must not be a link-local or metadata address, unless its RuleEndpoint has the property allow_link_local: "true"'
  }
  return undefined
}

/** RFC 3927 and RFC 4291 §2.5.6, also where IPv6 maps IPv4, and addresses of metadata services elsewhere. */
export function isLinkLocal(address: string): boolean {
  const plain = address.toLowerCase().replace(/%.*$/, '')
  if (METADATA_ADDRESSES.has(plain)) return true
  if (isIP(plain) === 4) return plain.startsWith('169.254.')
  if (/^fe[89ab][0-9a-f]:/.test(plain)) return true
  const mapped = /^::ffff:(.+)$/.exec(plain)?.[1]
  if (mapped === undefined) return false
  return mapped.includes('.') ? isLinkLocal(mapped) : /^a9fe:/.test(mapped)
}
