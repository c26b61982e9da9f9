import { type JsonObject, kubernetesVersionText } from '../../../schemas/index.ts'
import type { MachineFacts } from './machine.ts'
import { type PodRoom, podRoom } from './pod-room.ts'

export interface NodeDescription {
  readonly nodeName: string
  readonly version: string
}

export interface NodeTaint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

/** What the configuration adds to a Node. */
export interface NodeExtras {
  readonly labels: Readonly<Record<string, string>>
  /** Given when the Node is made; from then on taints are the administrators'. */
  readonly taints: readonly NodeTaint[]
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
/** A label value has at most 63 characters, the name of a node up to 253. */
const LONGEST_LABEL = 63

/** The labels of a KubeEdge edge node, and those of the configuration. */
export function nodeLabels(nodeName: string, facts: MachineFacts, extras?: NodeExtras): JsonObject {
  return {
    ...extras?.labels,
    'kubernetes.io/hostname': labelValue(nodeName),
    'kubernetes.io/os': facts.os,
    'kubernetes.io/arch': architectureOf(facts),
    'node-role.kubernetes.io/edge': '',
    'node-role.kubernetes.io/agent': '',
  }
}

/** The Node that this edge registers. */
export function nodeObject(
  description: NodeDescription,
  facts: MachineFacts,
  {
    conditions,
    extras,
    pods,
  }: { readonly conditions: readonly JsonObject[]; readonly extras?: NodeExtras; readonly pods?: PodRoom },
) {
  const { nodeName } = description
  const taints = extras?.taints.map((taint) => ({ ...taint })) ?? []
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: nodeLabels(nodeName, facts, extras) },
    spec: taints.length === 0 ? {} : { taints },
    status: { ...machineStatus(description, facts, pods), conditions },
  }
}

/**
 * The part of the status that describes the machine. A node where nothing runs pods offers room for none. The version has the form
 * of KubeEdge's (`v1.32.10-kubeedge-v1.23.0`): that of the Kubernetes API it is made for, then whose it is.
 */
export function machineStatus({ nodeName, version }: NodeDescription, facts: MachineFacts, pods?: PodRoom): JsonObject {
  return {
    ...podRoom(facts, pods),
    addresses: [
      ...(facts.address === undefined ? [] : [{ type: 'InternalIP', address: facts.address }]),
      { type: 'Hostname', address: facts.hostname || nodeName },
    ],
    nodeInfo: {
      architecture: architectureOf(facts),
      operatingSystem: facts.os,
      kernelVersion: facts.kernel,
      osImage: facts.image ?? `${facts.os} ${facts.kernel}`,
      kubeletVersion: `${kubernetesVersionText()}-skerry-${version}`,
      kubeProxyVersion: '',
      containerRuntimeVersion: pods?.runtime.version ?? '',
      machineID: facts.machineId ?? '',
      systemUUID: facts.systemUuid ?? facts.machineId ?? '',
      bootID: facts.bootId ?? '',
    },
  }
}

function labelValue(nodeName: string): string {
  return nodeName.slice(0, LONGEST_LABEL).replace(/[^a-z0-9]+$/, '')
}

function architectureOf({ architecture }: MachineFacts): string {
  return ARCHITECTURES[architecture] ?? architecture
}
