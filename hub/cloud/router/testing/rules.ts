import type { Rule, RuleEndpoint } from '../../../../schemas/index.ts'

type Texts = Readonly<Record<string, string>>
type EndpointType = RuleEndpoint['spec']['ruleEndpointType']

export function endpoint(name: string, ruleEndpointType: EndpointType, properties: Texts = {}): RuleEndpoint {
  return {
    apiVersion: 'rules.kubeedge.io/v1',
    kind: 'RuleEndpoint',
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
    spec: { ruleEndpointType, properties },
  }
}

/** Endpoints of each type, named after it. */
export const ENDPOINTS: readonly RuleEndpoint[] = [
  endpoint('rest', 'rest'),
  endpoint('eventbus', 'eventbus'),
  endpoint('servicebus', 'servicebus', { service_port: '8080' }),
]

export interface RuleText {
  readonly name?: string
  readonly annotations?: Texts
  /** Made so many seconds after the others. */
  readonly age?: number
}

/** `rest->eventbus` with what each end is told. */
export function rule(pair: string, sourceResource: Texts, targetResource: Texts, more: RuleText = {}): Rule {
  const { name = 'lights', annotations, age = 0 } = more
  const [source = '', target = ''] = pair.split('->')
  const creationTimestamp = `2026-08-01T00:00:${String(age).padStart(2, '0')}Z`
  const metadata = { name, namespace: 'shop', uid: `uid-of-${name}`, creationTimestamp }
  return {
    apiVersion: 'rules.kubeedge.io/v1',
    kind: 'Rule',
    metadata: { ...metadata, ...(annotations ? { annotations } : {}) },
    spec: { source, sourceResource, target, targetResource },
  }
}
