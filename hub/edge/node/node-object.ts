import { arch, cpus, hostname, networkInterfaces, platform, release, totalmem } from 'node:os'
import type { JsonObject } from '../../../schemas/index.ts'

export interface NodeDescription {
  readonly nodeName: string
  readonly version: string
}

/** What the Node says of the machine. */
export interface MachineFacts {
  readonly cpus: number
  readonly memoryBytes: number
  readonly os: string
  readonly kernel: string
  /** As Node.js names it. */
  readonly architecture: string
  readonly hostname: string
  /** First address that is not loopback; absent where there is none. */
  readonly address?: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export function machineFacts(): MachineFacts {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const external = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    os: platform(),
    kernel: release(),
    architecture: arch(),
    hostname: hostname(),
    ...(external ? { address: external.address } : {}),
  }
}

/** The labels of a KubeEdge edge node. */
export function nodeLabels(nodeName: string, facts: MachineFacts): JsonObject {
  return {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': facts.os,
    'kubernetes.io/arch': architectureOf(facts),
    'node-role.kubernetes.io/edge': '',
    'node-role.kubernetes.io/agent': '',
  }
}

/** The Node that this edge registers. */
export function nodeObject(description: NodeDescription, facts: MachineFacts, conditions: readonly JsonObject[]) {
  const { nodeName } = description
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: nodeLabels(nodeName, facts) },
    spec: {},
    status: { ...machineStatus(description, facts), conditions },
  }
}

/** The part of the status that describes the machine. Nothing runs pods yet, so none are offered. */
export function machineStatus({ nodeName, version }: NodeDescription, facts: MachineFacts): JsonObject {
  const capacity = { cpu: String(facts.cpus), memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`, pods: '0' }
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      ...(facts.address === undefined ? [] : [{ type: 'InternalIP', address: facts.address }]),
      { type: 'Hostname', address: facts.hostname || nodeName },
    ],
    nodeInfo: {
      architecture: architectureOf(facts),
      operatingSystem: facts.os,
      kernelVersion: facts.kernel,
      osImage: `${facts.os} ${facts.kernel}`,
      kubeletVersion: `v1.34.0-skerry-${version}`,
      kubeProxyVersion: '',
      containerRuntimeVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  }
}

/** Times are RFC 3339, UTC, whole seconds. */
export function readyCondition(heartbeat: string, transition: string): JsonObject {
  return {
    type: 'Ready',
    status: 'True',
    reason: 'EdgeReady',
    message: 'the edge half is connected',
    lastHeartbeatTime: heartbeat,
    lastTransitionTime: transition,
  }
}

function architectureOf({ architecture }: MachineFacts): string {
  return ARCHITECTURES[architecture] ?? architecture
}
