import { type DeviceId, splitDeviceId } from '../device/index.ts'

/**
 * MQTT topics of the edge, as KubeEdge names them: `$hw/events/device/<namespace>/<name>/<action>` and
 * `$hw/events/node/<node>/<action>`. Before KubeEdge 1.17 device topics had a single level for the id; such an id means
 * namespace `default`, and its owner is answered on topics of the same form.
 */
export const DEVICE_TOPICS = '$hw/events/device/'
export const NODE_TOPICS = '$hw/events/node/'

/** What stands behind the id of a device. */
export const DEVICE_ACTIONS = [
  'twin/update',
  'twin/update/result',
  'twin/update/delta',
  'twin/update/document',
  'twin/get',
  'twin/get/result',
  'twin/cloud_updated',
  'state/update',
  'state/update/result',
  'state/get',
  'state/get/result',
  'method/call',
  'method/call/result',
  'updated',
] as const
export type DeviceAction = (typeof DEVICE_ACTIONS)[number]

/** What stands behind the name of a node. */
export const NODE_ACTIONS = [
  'membership/get',
  'membership/get/result',
  'membership/updated',
  'membership/detail',
  'membership/detail/result',
  'authInfo/get/result',
] as const
export type NodeAction = (typeof NODE_ACTIONS)[number]

/** Filters that cover what clients ask of devices and nodes; they do not overlap. */
export const CLIENT_FILTERS = {
  twin: `${DEVICE_TOPICS}+/+/twin/+`,
  stateUpdate: `${DEVICE_TOPICS}+/+/state/update`,
  stateGet: `${DEVICE_TOPICS}+/+/state/get`,
  oldTwin: `${DEVICE_TOPICS}+/twin/+`,
  oldStateUpdate: `${DEVICE_TOPICS}+/state/update`,
  oldStateGet: `${DEVICE_TOPICS}+/state/get`,
  membershipGet: `${NODE_TOPICS}+/membership/get`,
} as const

/** Filters that cover the calls of methods; DeviceMethods answers them. */
export const METHOD_FILTERS = {
  call: `${DEVICE_TOPICS}+/+/method/call`,
  oldCall: `${DEVICE_TOPICS}+/method/call`,
} as const

/** Filters that cover what clients send to the cloud as user messages; none of them overlaps another or one of the above. */
export const USER_FILTERS = {
  upload: '$hw/events/upload/#',
  records: 'SYS/dis/upload_records',
  user: '+/user/#',
} as const

/** How the id stands in the topic: `<namespace>/<name>`, or the bare name of older clients. */
export type DeviceTopicForm = 'namespaced' | 'bare'

export interface DeviceTopic {
  readonly id: DeviceId
  readonly action: DeviceAction
  readonly form: DeviceTopicForm
}

export interface NodeTopic {
  readonly node: string
  readonly action: NodeAction
}

/** The bare form exists for namespace `default` only; ids of others stay whole. */
export function deviceTopic(id: DeviceId, action: DeviceAction, form: DeviceTopicForm = 'namespaced'): string {
  const { namespace, name } = splitDeviceId(id)
  const path = form === 'bare' && namespace === 'default' ? name : `${namespace}/${name}`
  return `${DEVICE_TOPICS}${path}/${action}`
}

export function nodeTopic(node: string, action: NodeAction): string {
  return `${NODE_TOPICS}${node}/${action}`
}

/** Kubernetes names nothing longer. It bounds the topics that answers go to as well. */
const LONGEST_NAME = 253

/** Reads from the end, so that a namespace or a device may be called like any part of a topic. */
export function parseDeviceTopic(topic: string): DeviceTopic | undefined {
  if (!topic.startsWith(DEVICE_TOPICS)) return undefined
  const parts = topic.slice(DEVICE_TOPICS.length).split('/')
  if (parts.includes('')) return undefined
  for (const length of [2, 1]) {
    const action = DEVICE_ACTION_OF.get(parts.slice(length).join('/'))
    if (!action) continue
    if (parts.slice(0, length).some((name) => name.length > LONGEST_NAME)) return undefined
    const id = length === 2 ? `${parts[0]}/${parts[1]}` : `default/${parts[0]}`
    return { id, action, form: length === 2 ? 'namespaced' : 'bare' }
  }
  return undefined
}

export function parseNodeTopic(topic: string): NodeTopic | undefined {
  if (!topic.startsWith(NODE_TOPICS)) return undefined
  const path = topic.slice(NODE_TOPICS.length)
  const slash = path.indexOf('/')
  const action = NODE_ACTION_OF.get(path.slice(slash + 1))
  return slash > 0 && action ? { node: path.slice(0, slash), action } : undefined
}

const DEVICE_ACTION_OF: ReadonlyMap<string, DeviceAction> = new Map(DEVICE_ACTIONS.map((action) => [action, action]))
const NODE_ACTION_OF: ReadonlyMap<string, NodeAction> = new Map(NODE_ACTIONS.map((action) => [action, action]))
