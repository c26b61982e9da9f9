import {
  DEVICE_TOPICS,
  type DeviceAction,
  type DeviceId,
  NODE_TOPICS,
  type NodeAction,
  PLAIN_PREFIX,
  parseDeviceTopic,
  parseNodeTopic,
  parsePlainCall,
  parsePlainSet,
} from '../../../../schemas/index.ts'

/** Last levels of the topics on which the edge answers, announces or is told by the cloud. */
const FROM_EDGE = new Set(['result', 'delta', 'document', 'updated', 'cloud_updated', 'edge_updated', 'detail'])

/** Only the edge publishes there, whoever the client is. */
export function isOfEdge(topic: string): boolean {
  // What clients send to the cloud may end in any word.
  if (topic.startsWith('$hw/events/upload/')) return false
  if (isOfBroker(topic)) return true
  if (isUnderView(topic)) return !parsePlainSet(topic) && !parsePlainCall(topic)
  return topic.startsWith('$hw/') && FROM_EDGE.has(lastOf(topic))
}

/** What the broker says of itself and its clients, such as their ids and subscriptions. */
export function isOfBroker(topic: string): boolean {
  return topic.startsWith('$SYS/') || topic.startsWith('$skerry/')
}

/** The edge alone makes what is retained there; what a client may publish there is heard once and not kept. */
export function isUnderView(topic: string): boolean {
  return topic.startsWith(`${PLAIN_PREFIX}/`) || topic === PLAIN_PREFIX
}

/** What a topic is about, as far as rights depend on it. */
export type Place =
  /** `device` is undefined where no device of this node can be meant. */
  | {
      readonly kind: 'device'
      readonly device: DeviceId | undefined
      readonly action: DeviceAction | 'view' | 'set' | 'call'
    }
  | { readonly kind: 'node'; readonly action: NodeAction | undefined }
  | { readonly kind: 'other' }

export function placeOf(topic: string): Place {
  if (topic.startsWith(DEVICE_TOPICS)) {
    const found = parseDeviceTopic(topic)
    return found ? { kind: 'device', device: found.id, action: found.action } : NO_DEVICE
  }
  if (isUnderView(topic)) {
    const [, namespace, name] = topic.split('/')
    if (!namespace || !name) return NO_DEVICE
    const action = parsePlainSet(topic) ? 'set' : parsePlainCall(topic) ? 'call' : 'view'
    return { kind: 'device', device: `${namespace}/${name}`, action }
  }
  if (topic.startsWith(NODE_TOPICS)) return { kind: 'node', action: parseNodeTopic(topic)?.action }
  return { kind: 'other' }
}

const NO_DEVICE: Place = { kind: 'device', device: undefined, action: 'updated' }

/** True for topics of `$hw/` on which a client only asks. */
export function isQuestion(topic: string): boolean {
  return topic.startsWith('$hw/') && lastOf(topic) === 'get'
}

/** Whether one topic can match both filters (MQTT 3.1.1 §4.7). */
export function overlap(left: string, right: string): boolean {
  const one = left.split('/')
  const other = right.split('/')
  if (isHidden(one[0], other[0]) || isHidden(other[0], one[0])) return false
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [a, b] = [one[at], other[at]]
    if (a === '#' || b === '#') return true
    if (a === undefined || b === undefined) return false
    if (a !== b && a !== '+' && b !== '+') return false
  }
  return true
}

/** A wildcard at the first level does not match topics that begin with `$`. */
function isHidden(wild: string | undefined, other: string | undefined): boolean {
  return (wild === '+' || wild === '#') && other?.startsWith('$') === true
}

function lastOf(topic: string): string {
  return topic.slice(topic.lastIndexOf('/') + 1)
}
