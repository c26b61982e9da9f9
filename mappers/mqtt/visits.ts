import type { Order, Visit } from '../contract/index.ts'
import { ownBroker } from './address.ts'
import { type CommandScope, fillPayload } from './command.ts'
import type { DeviceConfig } from './config.ts'
import { fillTopic, isOfEdge, refuseTopic, type TopicScope } from './topics.ts'
import type { VisitorConfig } from './visitor.ts'

export type MqttVisit = Visit<DeviceConfig, VisitorConfig>
export type MqttOrder = Order<DeviceConfig, VisitorConfig>

export function scopeOf({ deviceId = '/', device, property }: MqttVisit): TopicScope {
  return { deviceId, property: property.name, base: device.base, variables: device.variables }
}

/** The topic filter of a template. Throws where it cannot be subscribed to. */
export function filterOf(visit: MqttVisit, template: string): string {
  return checked(visit, fillTopic(template, scopeOf(visit)), 'filter')
}

/** The topic of a template. Throws where nothing can be published on it. */
export function topicOf(visit: MqttVisit, template: string): string {
  return checked(visit, fillTopic(template, scopeOf(visit)), 'name')
}

/** The broker of the node ends the connection of a mapper that speaks where only the edge does: all devices would lose it. */
function checked(visit: MqttVisit, topic: string, kind: 'filter' | 'name'): string {
  const reason = refuseTopic(topic, kind)
  if (reason !== undefined) throw new Error(`topic "${topic}" ${reason}`)
  if (ownBroker(visit.device) === undefined && isOfEdge(topic))
    throw new Error(`topic ${topic} is one of the edge itself`)
  return topic
}

export function payloadOf(
  visit: MqttVisit,
  template: string,
  rest: Pick<CommandScope, 'id' | 'now' | 'value'>,
): string | Uint8Array {
  const scope = scopeOf(visit)
  return fillPayload(template, visit.visitor.match, {
    ...rest,
    type: visit.property.type,
    topicPart: (name) => fillTopic(`{${name}}`, scope),
  })
}

/** The schema counts it; the compiler does not know that. */
export function qosOf({ qos }: VisitorConfig): 0 | 1 | 2 {
  return qos === 0 ? 0 : qos === 1 ? 1 : 2
}

export function highestQos(visits: readonly MqttVisit[]): 0 | 1 | 2 {
  const all = new Set(visits.map(({ visitor }) => visitor.qos))
  return all.has(2) ? 2 : all.has(1) ? 1 : 0
}

/** How long the device may take for a command. */
export function patienceOf({ device, visitor }: MqttVisit): number {
  return visitor.ack?.timeout ?? device.timeout
}

/** Orders on the same line wait for each other: nothing in an answer says which of them it is for. */
export function lineOf({ id, deviceId, visitor }: Pick<MqttOrder, 'id' | 'deviceId' | 'visitor'>): string {
  const { ack } = visitor
  return ack?.by === 'answer' && ack.correlation === undefined ? `${deviceId} ${ack.topic}` : id
}
