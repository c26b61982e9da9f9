import type { Frame, Json, JsonObject } from '../../../../schemas/index.ts'
import type { OriginalEdge } from './original-edge.ts'

/** The Node as the kubelet of edgecore 1.23 registers it: what Go writes for empty fields included. */
export function kubeletNode(name: string): JsonObject {
  return {
    metadata: {
      name,
      creationTimestamp: null,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'node-role.kubernetes.io/agent': '',
        'node-role.kubernetes.io/edge': '',
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {},
    status: {
      capacity: { cpu: '4', memory: '8009984Ki', pods: '110' },
      allocatable: { cpu: '4', memory: '7907584Ki', pods: '110' },
      conditions: [condition('MemoryPressure', 'False'), condition('Ready', 'False')],
      addresses: [
        { type: 'InternalIP', address: '192.0.2.7' },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10350 } },
      nodeInfo: {
        machineID: '',
        systemUUID: '',
        bootID: '',
        kernelVersion: '6.1.0',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        containerRuntimeVersion: 'containerd://1.7.0',
        kubeletVersion: 'v1.32.10-kubeedge-v1.23.1',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  }
}

export function kubeletLease(name: string, second: number, metadata: JsonObject = {}): JsonObject {
  return {
    metadata: { name, namespace: 'kube-node-lease', creationTimestamp: null, ...metadata },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: 40,
      renewTime: new Date(second * 1000).toISOString().replace('Z', '000Z'),
    },
  }
}

/** A strategic merge patch as the kubelet computes it for its status. */
export function readyPatch(): JsonObject {
  const order = [{ type: 'MemoryPressure' }, { type: 'Ready' }]
  const conditions = [
    { type: 'MemoryPressure', lastHeartbeatTime: '2026-08-06T12:00:10Z' },
    { ...condition('Ready', 'True'), reason: 'KubeletReady', message: 'edge is posting ready status. <all> & more' },
  ]
  return { status: { '$setElementOrder/conditions': order, conditions } }
}

export interface Registration {
  readonly node: Frame
  readonly lease: Frame
  readonly status: Frame
}

/**
 * What an edge says at a connect after its first keepalive: DeviceTwin asks for its members, then the kubelet registers the
 * Node, sees to the Lease and patches its status.
 */
export async function register(edge: OriginalEdge, second = 1_786_017_600): Promise<Registration> {
  const { node: name } = edge
  edge.say({ source: 'twin', group: 'resource', operation: 'get', resource: 'membership/detail' }, detailRequest(name))
  const node = await edge.ask('insert', `null/node/${name}`, kubeletNode(name))
  const at = `kube-node-lease/lease/${name}`
  const present = await edge.ask('query', at)
  const lease =
    failureOf(present) === 'NotFound'
      ? await edge.ask('insert', at, kubeletLease(name, second))
      : await edge.ask('update', at, kubeletLease(name, second, metadataOf(objectOf(present))))
  const status = await edge.patch(`null/nodepatch/${name}`, readyPatch())
  return { node, lease, status }
}

/** Of an answer `{Object, Err}`. */
export function objectOf(answer: Frame): JsonObject {
  const { Object: object } = shaped(answer)
  if (!isObject(object)) throw new Error(`no object in ${JSON.stringify(answer.content)}`)
  return object
}

/** The reason in `Err`; undefined where there is no error. */
export function failureOf(answer: Frame): string | undefined {
  const { Err: failure } = shaped(answer)
  if (failure === null) return undefined
  const status = isObject(failure) ? failure['ErrStatus'] : undefined
  if (!isObject(status) || typeof status['reason'] !== 'string')
    throw new Error(`no status in ${JSON.stringify(failure)}`)
  return status['reason']
}

export function metadataOf(object: JsonObject): JsonObject {
  const { metadata } = object
  return isObject(metadata) ? metadata : {}
}

/** Exactly the two keys. */
function shaped({ content }: Frame): JsonObject {
  const keys = isObject(content) ? Object.keys(content).sort().join() : ''
  if (!isObject(content) || keys !== 'Err,Object') throw new Error(`no {Object,Err}: ${JSON.stringify(content)}`)
  return content
}

function detailRequest(node: string): string {
  return JSON.stringify({
    event_type: 'group_membership_event',
    event_id: 'e',
    group_id: node,
    operation: 'detail',
    timestamp: 1_786_017_599_000,
  })
}

function condition(type: string, status: string): JsonObject {
  const time = '2026-08-06T12:00:00Z'
  return { type, status, lastHeartbeatTime: time, lastTransitionTime: time, reason: `Kubelet${type}`, message: '' }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
