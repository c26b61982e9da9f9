import { parseValue } from '../../schemas/index.ts'
import type { Property } from '../contract/index.ts'
import { NO_POINTER, parsePointer } from '../payload/index.ts'
import { ownBroker } from './address.ts'
import { refusePayload } from './command.ts'
import type { DeviceConfig } from './config.ts'
import { fillTopic, isOfEdge, refuseTemplate, TOPIC_NAMES } from './topics.ts'
import type { VisitorConfig } from './visitor.ts'

/** Why a property can never be visited this way, or nothing. */
export function reject(
  property: Property,
  visitor: VisitorConfig,
  device: DeviceConfig | undefined,
): string | undefined {
  return (
    rejectReach(visitor) ??
    rejectTopics(visitor, device) ??
    rejectPointers(visitor) ??
    rejectExtraction(property, visitor) ??
    rejectPayloads(visitor, device) ??
    rejectAck(visitor, device)
  )
}

function rejectReach({ topic, commandTopic, getTopic, poll }: VisitorConfig): string | undefined {
  if (topic === undefined && commandTopic === undefined)
    return 'needs topic, where the device publishes the value, or commandTopic'
  if (getTopic !== undefined && topic === undefined) return 'getTopic needs topic, where the device answers'
  return poll && getTopic === undefined ? 'poll needs getTopic, where the device takes questions' : undefined
}

function rejectTopics(visitor: VisitorConfig, device: DeviceConfig | undefined): string | undefined {
  const { topic, commandTopic, getTopic, ack } = visitor
  const all = [
    ['availability of the device', device?.availability?.topic, 'filter'],
    ['topic', topic, 'filter'],
    ['commandTopic', commandTopic, 'name'],
    ['getTopic', getTopic, 'name'],
    ['ack.topic', ack?.topic, ack?.by === 'response' ? 'name' : 'filter'],
  ] as const
  for (const [name, text, kind] of all) {
    if (text === undefined) continue
    const reason = refuseTemplate(text, kind, device)
    if (reason !== undefined) return `${name} "${text}" ${reason}`
    if (device && ownBroker(device) === undefined && isOfEdge(sample(text, device))) {
      return `${name} "${text}" is a topic of the edge itself: what a twin says must not come back as a reading`
    }
  }
  return undefined
}

function sample(text: string, { base, variables }: DeviceConfig): string {
  return fillTopic(text, { deviceId: 'namespace/device', property: 'property', base, variables })
}

function rejectPointers({ pointer, time, ack }: VisitorConfig): string | undefined {
  const all = {
    pointer,
    time,
    'ack.pointer': ack?.pointer,
    'ack.correlation': ack?.correlation,
    'ack.errorPointer': ack?.errorPointer,
  }
  const wrong = Object.entries(all).find(([, text]) => text !== undefined && !parsePointer(text))
  return wrong && `${wrong[0]} "${wrong[1]}" ${NO_POINTER}`
}

function rejectExtraction({ type }: Property, visitor: VisitorConfig): string | undefined {
  const { binary, pointer, between, separator, match } = visitor
  if (binary && (pointer ?? between ?? separator) !== undefined)
    return 'binary cannot be combined with pointer, between or separator'
  for (const [word, meant] of Object.entries(match ?? {})) {
    const parsed = parseValue(type, meant)
    if (!parsed.ok) return `match: "${meant}" for "${word}" ${parsed.reason} (type ${type})`
  }
  return undefined
}

function rejectPayloads(
  { commandPayload, getPayload, ack }: VisitorConfig,
  device: DeviceConfig | undefined,
): string | undefined {
  const known = device && new Set([...TOPIC_NAMES, ...Object.keys(device.variables)])
  const command = refusePayload(commandPayload, true, known)
  if (command !== undefined) return `commandPayload: ${command}`
  const get = refusePayload(getPayload, false, known)
  if (get !== undefined) return `getPayload: ${get}`
  const hasId = commandPayload.includes('{id}')
  return ack?.correlation !== undefined && !hasId ? 'ack.correlation needs {id} in commandPayload' : undefined
}

function rejectAck({ ack, topic }: VisitorConfig, device: DeviceConfig | undefined): string | undefined {
  if (ack?.by === 'state' && topic === undefined)
    return 'ack by state needs topic, where the device publishes the value'
  if (ack?.by === 'answer' && ack.topic === undefined) return 'ack by answer needs ack.topic'
  if (ack?.by !== 'response' || !device) return undefined
  if (device.protocolVersion !== '5') return 'ack by response needs protocolVersion 5 of the device'
  return undefined
}
