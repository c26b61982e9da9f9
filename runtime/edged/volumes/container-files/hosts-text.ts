import { isIP } from 'node:net'
import type { PodSpec } from '../../pod/schema/pod-spec.ts'

export interface HostsOf {
  /** The pod's own; none on the network of the node. */
  readonly ips: readonly string[]
  readonly names: readonly string[]
  readonly aliases: PodSpec['hostAliases']
  /** On the network of the node: its own file. */
  readonly nodeText?: string
}

const HEADER = '# Kubernetes-managed hosts file.'
const LOCAL = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'fe00::\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

/** /etc/hosts of a pod, as a kubelet writes it. Throws, for people, for an alias that is none. */
export function hostsText({ ips, names, aliases, nodeText }: HostsOf): string {
  const own = ips.map((ip) => [ip, ...names].join('\t'))
  const base =
    nodeText === undefined ? [HEADER, ...LOCAL, ...own] : [`${HEADER.slice(0, -1)} (host network).`, nodeText.trimEnd()]
  const extra = aliases.map(aliasLine)
  return [...base, ...(extra.length > 0 ? ['', '# Entries added by HostAliases.', ...extra] : []), ''].join('\n')
}

function aliasLine({ ip, hostnames }: PodSpec['hostAliases'][number]): string {
  if (isIP(ip) === 0) throw new Error(`hostAliases: ${JSON.stringify(ip.slice(0, 100))} is no address`)
  const bad = hostnames.find((name) => !/^[a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name))
  if (bad !== undefined) throw new Error(`hostAliases: ${JSON.stringify(bad.slice(0, 300))} is no host name`)
  return [ip, ...hostnames].join('\t')
}
