import type { DnsConfig } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'

/** The resolver of a Kubernetes cluster, where this node has one. */
export interface ClusterDns {
  readonly servers: readonly string[]
  readonly domain: string
}

export interface DnsInput {
  readonly pod: Pod
  /** The resolver of this node. */
  readonly host: DnsConfig
  readonly cluster?: ClusterDns
}

/** What a pod's user has to know, for an Event. */
export interface DnsWarning {
  readonly reason: string
  readonly message: string
}

/** Kubernetes, PodDNSConfig. */
const MOST_SERVERS = 3
const MOST_SEARCHES = 32
const MOST_SEARCH_CHARACTERS = 2048
const LONGEST_SEARCH = 253

export interface PodDns {
  readonly config: DnsConfig
  readonly warnings: readonly DnsWarning[]
}

/** How a pod resolves names, by its dnsPolicy and dnsConfig. */
export function podDns({ pod, host, cluster }: DnsInput): PodDns {
  const warnings: DnsWarning[] = []
  const base = baseOf(pod, host, cluster, warnings)
  const { nameservers, searches, options } = pod.spec.dnsConfig
  const merged = {
    servers: nameservers.length > 0 ? unique([...base.servers, ...nameservers]) : base.servers,
    searches: searches.length > 0 ? unique([...base.searches, ...searches]) : base.searches,
    options: mergedOptions([...base.options, ...options.map(({ name, value }) => (value ? `${name}:${value}` : name))]),
  }
  return {
    config: {
      ...merged,
      servers: cutServers(merged.servers, warnings),
      searches: cutSearches(merged.searches, warnings),
    },
    warnings,
  }
}

function baseOf(pod: Pod, host: DnsConfig, cluster: ClusterDns | undefined, warnings: DnsWarning[]): DnsConfig {
  const { dnsPolicy, hostNetwork } = pod.spec
  if (dnsPolicy === 'None') return { servers: [], searches: [], options: [] }
  if (dnsPolicy === 'Default' || (dnsPolicy === 'ClusterFirst' && hostNetwork)) return host
  if (!cluster || cluster.servers.length === 0) {
    const place = `pod: "${pod.name}_${pod.namespace}(${pod.uid})"`
    const what = 'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy'
    warnings.push({ reason: 'MissingClusterDNS', message: `${place}. ${what}. Falling back to "Default" policy.` })
    return host
  }
  const { servers, domain } = cluster
  const own = domain === '' ? [] : [`${pod.namespace}.svc.${domain}`, `svc.${domain}`, domain]
  return { servers, searches: unique([...own, ...host.searches]), options: ['ndots:5'] }
}

/** The last one of a name counts. */
export function mergedOptions(options: readonly string[]): readonly string[] {
  return [...new Map(options.map((option) => [option.split(':')[0], option])).values()]
}

function cutServers(servers: readonly string[], warnings: DnsWarning[]): readonly string[] {
  if (servers.length <= MOST_SERVERS) return servers
  const kept = servers.slice(0, MOST_SERVERS)
  const message = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${kept.join(' ')}`
  warnings.push({ reason: 'DNSConfigForming', message })
  return kept
}

/** Resolvers of the C library end their process over a longer one. */
function cutSearches(searches: readonly string[], warnings: DnsWarning[]): readonly string[] {
  const kept = searches.slice(0, MOST_SEARCHES).filter(({ length }) => length <= LONGEST_SEARCH)
  while (kept.join(' ').length > MOST_SEARCH_CHARACTERS) kept.pop()
  if (kept.length === searches.length) return searches
  const message = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${kept.join(' ')}`
  warnings.push({ reason: 'DNSConfigForming', message })
  return kept
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}
