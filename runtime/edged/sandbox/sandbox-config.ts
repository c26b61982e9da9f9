import type { DnsConfig, PortMapping, SandboxConfig, SandboxSecurity } from '../cri/runtime.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { isSidecar, type Pod } from '../pod/pod.ts'
import { sysctlProblem } from '../pod/sysctls.ts'
import { podLabels } from '../state/labels.ts'
import { hostnameOf } from './hostname.ts'
import { namespacesOf, supplementalGroups } from './namespaces.ts'

export interface SandboxInput {
  readonly pod: Pod
  /** How many sandboxes the pod had before it. */
  readonly attempt: number
  readonly owner: string
  readonly logDirectory: string
  readonly dns: DnsConfig
  readonly nodeName: string
  readonly clusterDomain?: string
  /** Kernel parameters that pods may set beside the safe ones. */
  readonly allowedSysctls?: readonly string[]
}

/** The sandbox of a pod. Throws an ObstacleError where this node must not make it. */
export function sandboxConfig(input: SandboxInput): SandboxConfig {
  const { pod, attempt, owner, logDirectory, dns, nodeName, clusterDomain, allowedSysctls } = input
  const { name, uid, namespace, spec } = pod
  const forbidden = sysctlProblem(pod, allowedSysctls)
  if (forbidden !== undefined) throw new ObstacleError({ reason: 'SysctlForbidden', message: forbidden })
  const sysctls = spec.securityContext.sysctls.map((one) => [one.name, one.value])
  const portMappings = portMappingsOf(pod)
  return {
    metadata: { name, uid, namespace, attempt },
    // A pod on the network of the node shares its name as well, and a runtime refuses to set it.
    ...(spec.hostNetwork
      ? {}
      : { hostname: hostnameOf({ pod, nodeName, ...(clusterDomain ? { clusterDomain } : {}) }) }),
    ...{ logDirectory, dnsConfig: dns },
    ...(portMappings.length > 0 ? { portMappings } : {}),
    labels: { ...pod.labels, ...podLabels(pod, owner) },
    annotations: pod.annotations,
    linux: {
      securityContext: securityOf(pod),
      ...(sysctls.length > 0 ? { sysctls: Object.fromEntries(sysctls) } : {}),
    },
  }
}

function securityOf(pod: Pod): SandboxSecurity {
  const { runAsUser, runAsGroup, seLinuxOptions } = pod.spec.securityContext
  const groups = supplementalGroups(pod)
  const all = [...pod.spec.containers, ...pod.spec.initContainers]
  return {
    namespaceOptions: namespacesOf(pod),
    privileged: all.some(({ securityContext }) => securityContext.privileged),
    seccomp: { profileType: 'RuntimeDefault' },
    ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
    // A runtime takes a group only with a user (CRI, run_as_group).
    ...(runAsUser === undefined || runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    ...(groups.length > 0 ? { supplementalGroups: groups } : {}),
    ...(seLinuxOptions ? { selinuxOptions: seLinuxOptions } : {}),
  }
}

/** Ports of the node that lead to the pod. On the network of the node, its ports are there anyway. */
function portMappingsOf({ spec }: Pod): readonly PortMapping[] {
  if (spec.hostNetwork) return []
  const mappings = new Map<string, PortMapping>()
  for (const { ports } of [...spec.initContainers.filter(isSidecar), ...spec.containers]) {
    for (const { protocol, containerPort, hostPort = 0, hostIP = '' } of ports) {
      if (hostPort === 0) continue
      const mapping = { protocol, containerPort, hostPort, ...(hostIP === '' ? {} : { hostIp: hostIP }) }
      mappings.set(JSON.stringify(mapping), mapping)
    }
  }
  return [...mappings.values()]
}
