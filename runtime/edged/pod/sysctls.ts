import type { Pod } from './pod.ts'

/** Kubernetes, safe sysctls: each pod has its own, and cannot harm the node with it. */
const SAFE = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]
const OF_IPC = /^(kernel\.(sem|shm.*|msg.*)|fs\.mqueue\..+)$/
const OF_NETWORK = /^net\..+$/

/**
 * Why this node does not set a kernel parameter that a pod wants; nothing where it does. `allowed` are those beside the safe ones,
 * with `*` at the end of what begins so.
 */
export function sysctlProblem({ spec }: Pod, allowed: readonly string[] = []): string | undefined {
  for (const { name } of spec.securityContext.sysctls) {
    const sysctl = normalized(name)
    const refusal = namespaceProblem(sysctl, spec.hostNetwork, spec.hostIPC)
    if (refusal !== undefined) return `forbidden sysctl: "${sysctl}" ${refusal}`
    if (!matches(sysctl, SAFE) && !matches(sysctl, allowed)) return `forbidden sysctl: "${sysctl}" not allowlisted`
  }
  return undefined
}

/** What the kernel does not have for each pod would change it for the whole node, whoever allows it. */
function namespaceProblem(sysctl: string, hostNetwork: boolean, hostIpc: boolean): string | undefined {
  if (OF_NETWORK.test(sysctl)) return hostNetwork ? 'not allowed with host Net enabled' : undefined
  if (OF_IPC.test(sysctl)) return hostIpc ? 'not allowed with host IPC enabled' : undefined
  return 'not allowlisted'
}

function matches(sysctl: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const plain = normalized(pattern)
    return plain.endsWith('*') ? sysctl.startsWith(plain.slice(0, -1)) : sysctl === plain
  })
}

/** Both `net.ipv4.x` and `net/ipv4/x` are in use (sysctl.d(5)); the first separator says which. */
function normalized(name: string): string {
  const first = /[./]/.exec(name)?.[0]
  if (first !== '/') return name
  return name.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'))
}
