import { arch, cpus, hostname, networkInterfaces, platform, release, totalmem } from 'node:os'
import type { JsonObject } from '../../schemas/index.ts'

export interface NodeDescription {
  readonly nodeName: string
  readonly version: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' }

/** The Node that this edge registers, with the labels of a KubeEdge edge node. */
export function nodeObject(description: NodeDescription, now: string): JsonObject {
  const { nodeName } = description
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': platform(),
        'kubernetes.io/arch': ARCHITECTURES[arch()] ?? arch(),
        'node-role.kubernetes.io/edge': '',
        'node-role.kubernetes.io/agent': '',
      },
    },
    spec: {},
    status: nodeStatus(description, now),
  }
}

/** What is true now. Nothing runs pods yet, so none are offered. */
export function nodeStatus({ version }: NodeDescription, now: string): JsonObject {
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '0' }
  return {
    capacity,
    allocatable: capacity,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'EdgeReady',
        message: 'the edge half is connected',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    addresses: addresses(),
    nodeInfo: {
      architecture: ARCHITECTURES[arch()] ?? arch(),
      operatingSystem: platform(),
      kernelVersion: release(),
      osImage: `${platform()} ${release()}`,
      kubeletVersion: `v1.34.0-skerry-${version}`,
      kubeProxyVersion: '',
      containerRuntimeVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  }
}

function addresses(): readonly JsonObject[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const external = all.find((each) => each.family === 'IPv4' && !each.internal)
  return [
    ...(external ? [{ type: 'InternalIP', address: external.address }] : []),
    { type: 'Hostname', address: hostname() },
  ]
}
