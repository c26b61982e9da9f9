import type { JsonObject, KubeObject } from '../device/index.ts'

/** rules.kubeedge.io: what comes from one endpoint goes to another. */
export interface Rule extends KubeObject {
  readonly spec: {
    /** Names of RuleEndpoints of the same namespace. */
    readonly source: string
    readonly sourceResource: Readonly<Record<string, string>>
    readonly target: string
    readonly targetResource: Readonly<Record<string, string>>
  }
  readonly status?: JsonObject
}

export interface RuleEndpoint extends KubeObject {
  readonly spec: {
    readonly ruleEndpointType: 'rest' | 'eventbus' | 'servicebus'
    readonly properties?: Readonly<Record<string, string>>
  }
}

/** What a rule asks of one node: to listen to an MQTT topic, and to upload what is published there. */
export interface RuleSubscription {
  readonly node: string
  /** `<namespace>/<topic>`, on MQTT and on the wire. */
  readonly topic: string
}

/**
 * What the source of a rule asks of a node; nothing unless it is an `eventbus` that names a node and a topic. A cloud sends
 * a rule to that node alone, so that an edge which got it may take its source for an eventbus.
 */
export function subscriptionOf(
  rule: Rule,
  source: RuleEndpoint | 'eventbus' | undefined,
): RuleSubscription | undefined {
  const type = typeof source === 'string' ? source : source?.spec.ruleEndpointType
  const { node_name: node = '', topic: given = '' } = rule.spec.sourceResource
  const topic = given.replace(/^\/+/, '')
  if (type !== 'eventbus' || node === '' || topic === '' || topic.includes('\0')) return undefined
  return { node, topic: `${rule.metadata.namespace ?? 'default'}/${topic}` }
}

/** What a rule offers the applications of one node: to call its target by a URL that stands for it. */
export interface RuleCall {
  readonly node: string
  /** By which applications name it, as KubeEdge's do. */
  readonly targetUrl: string
}

/**
 * What the source of a rule offers on a node; nothing unless it is a `servicebus` that names a node and a target URL. A cloud
 * sends a rule to that node alone, so that an edge which got it may take its source for a servicebus.
 */
export function callOf(rule: Rule, source: RuleEndpoint | 'servicebus' | undefined): RuleCall | undefined {
  const type = typeof source === 'string' ? source : source?.spec.ruleEndpointType
  const { node_name: node = '', target_url: targetUrl = '' } = rule.spec.sourceResource
  return type === 'servicebus' && node !== '' && targetUrl !== '' ? { node, targetUrl } : undefined
}

/** Whether an object read from outside is a Rule. */
export function isRule(object: KubeObject): object is Rule {
  const spec: unknown = Reflect.get(object, 'spec')
  if (!isRecord(spec) || typeof spec['source'] !== 'string' || typeof spec['target'] !== 'string') return false
  return isTexts(spec['sourceResource']) && isTexts(spec['targetResource'])
}

/** Whether an object read from outside is a RuleEndpoint. */
export function isRuleEndpoint(object: KubeObject): object is RuleEndpoint {
  const spec: unknown = Reflect.get(object, 'spec')
  if (!isRecord(spec) || !['rest', 'eventbus', 'servicebus'].includes(String(spec['ruleEndpointType']))) return false
  return spec['properties'] === undefined || isTexts(spec['properties'])
}

function isTexts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
