import { X509Certificate } from 'node:crypto'
import { isTopicFilter, isTopicName, matchesTopic, type Rule, type RuleEndpoint } from '../../../../schemas/index.ts'
import type { FieldError } from '../../admission/field-error.ts'
import { parameterNames, parsePattern, patternKey, placesIn } from './path-pattern.ts'
import { refuseUrl } from './rest-address.ts'
import { settingErrors } from './rule-settings.ts'

type EndpointType = RuleEndpoint['spec']['ruleEndpointType']

/** From what to what messages go. KubeEdge's own are the first three. */
const PAIRS: ReadonlySet<string> = new Set([
  'rest->eventbus',
  'rest->servicebus',
  'eventbus->rest',
  'servicebus->rest',
  'eventbus->eventbus',
] as const)

export interface RuleEnds {
  /** Undefined: not there (yet). */
  readonly source: RuleEndpoint | undefined
  readonly target: RuleEndpoint | undefined
}

/** Names of nodes: RFC 1123 subdomains. */
const NODE_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** What is wrong with a rule by itself; of an endpoint that is not there, nothing is known and nothing is wrong. */
export function ruleErrors(rule: Rule, { source, target }: RuleEnds): readonly FieldError[] {
  const errors = [...settingErrors(rule)]
  const from = source?.spec.ruleEndpointType
  const to = target?.spec.ruleEndpointType
  if (from && to && !PAIRS.has(`${from}->${to}`))
    errors.push({
      field: 'spec.target',
      message: `no rule goes from ${from} to ${to}; there are ${[...PAIRS].join(', ')}`,
    })
  if (from) errors.push(...sourceErrors(rule, from))
  if (target && to) errors.push(...targetErrors(rule, target, to))
  if (errors.length === 0 && from === 'rest' && to) errors.push(...placeErrors(rule, to))
  if (errors.length === 0 && from === 'eventbus' && to === 'eventbus') errors.push(...loopErrors(rule))
  return errors
}

function sourceErrors({ spec, metadata }: Rule, type: EndpointType): readonly FieldError[] {
  const { path, topic, node_name: node, target_url: url } = spec.sourceResource
  const at = (name: string) => `spec.sourceResource.${name}`
  if (type === 'rest') {
    if (path === undefined) return [missing(at('path'), 'rest')]
    const parsed = parsePattern(path)
    return typeof parsed === 'string' ? [wrong(at('path'), path, parsed)] : []
  }
  const errors: FieldError[] = []
  if (node === undefined) errors.push(missing(at('node_name'), type))
  else if (!NODE_NAME.test(node)) errors.push(wrong(at('node_name'), node, 'must be the name of a node'))
  if (type === 'eventbus') {
    if (topic === undefined) errors.push(missing(at('topic'), type))
    else if (
      !isTopicFilter(`${metadata.namespace ?? 'default'}/${topic.replace(/^\/+/, '')}`) ||
      topic.replace(/^\/+/, '') === ''
    )
      errors.push(wrong(at('topic'), topic, 'must be an MQTT topic or topic filter'))
  } else if (url === undefined) errors.push(missing(at('target_url'), type))
  else if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    errors.push(wrong(at('target_url'), url, 'must be an http or https URL'))
  return errors
}

function targetErrors({ spec }: Rule, endpoint: RuleEndpoint, type: EndpointType): readonly FieldError[] {
  const { resource, topic, path, node_name: node } = spec.targetResource
  const at = (name: string) => `spec.targetResource.${name}`
  if (type === 'rest') {
    if (resource === undefined) return [missing(at('resource'), type)]
    const refusal = refuseUrl(resource, allowsLinkLocal(endpoint))
    return refusal === undefined ? [] : [wrong(at('resource'), resource, refusal)]
  }
  if (type === 'servicebus') {
    const errors = [...endpointErrors(endpoint)].map(({ message }) => ({
      field: 'spec.target',
      message: `RuleEndpoint ${endpoint.metadata.name}: ${message}`,
    }))
    if (path === undefined) errors.push(missing(at('path'), type))
    else if (/[?#\s\\]/.test(path) || path.split('/').some((part) => part === '.' || part === '..'))
      errors.push(wrong(at('path'), path, 'must be a path without query, blanks, . and ..'))
    return errors
  }
  const errors: FieldError[] = []
  if (topic === undefined) errors.push(missing(at('topic'), type))
  else if (!isTopicName(topic)) errors.push(wrong(at('topic'), topic, 'must be an MQTT topic without wildcards'))
  if (node !== undefined && !NODE_NAME.test(node))
    errors.push(wrong(at('node_name'), node, 'must be the name of a node'))
  return errors
}

/** What a target names has to be in the path. */
function placeErrors({ spec }: Rule, to: EndpointType): readonly FieldError[] {
  const pattern = parsePattern(spec.sourceResource['path'] ?? '')
  const known = typeof pattern === 'string' ? [] : parameterNames(pattern)
  const name = to === 'eventbus' ? 'topic' : 'path'
  const unknown = placesIn(spec.targetResource[name] ?? '').filter((place) => !known.includes(place))
  return unknown.map((place) =>
    wrong(`spec.targetResource.${name}`, `{${place}}`, 'is no parameter of spec.sourceResource.path'),
  )
}

/** A message that came from its own rule would go round for ever. */
function loopErrors({ spec, metadata }: Rule): readonly FieldError[] {
  const { node_name: from = '', topic: heard = '' } = spec.sourceResource
  const { node_name: to = from, topic: said = '' } = spec.targetResource
  const filter = `${metadata.namespace ?? 'default'}/${heard.replace(/^\/+/, '')}`
  if (from !== to || !matchesTopic(filter, said)) return []
  return [wrong('spec.targetResource.topic', said, 'is heard by the source of the same rule')]
}

export function endpointErrors({ spec }: RuleEndpoint): readonly FieldError[] {
  const { service_port: port, ca, allow_link_local: local } = spec.properties ?? {}
  const at = (name: string) => `spec.properties.${name}`
  if (spec.ruleEndpointType === 'servicebus') {
    if (port === undefined) return [missing(at('service_port'), 'servicebus')]
    const number = /^\d{1,5}$/.test(port) ? Number(port) : 0
    return number >= 1 && number <= 65_535 ? [] : [wrong(at('service_port'), port, 'must be a port, 1 to 65535')]
  }
  if (spec.ruleEndpointType !== 'rest') return []
  const errors: FieldError[] = []
  if (ca !== undefined && !isCertificate(ca)) errors.push({ field: at('ca'), message: 'must be certificates as PEM' })
  if (local !== undefined && local !== 'true' && local !== 'false')
    errors.push(wrong(at('allow_link_local'), local, 'must be "true" or "false"'))
  return errors
}

export function allowsLinkLocal({ spec }: RuleEndpoint): boolean {
  return spec.properties?.['allow_link_local'] === 'true'
}

/** Rules of one namespace with the same key hear the same. Undefined where the source hears nothing. */
export function sourceKey({ spec }: Rule, source: RuleEndpoint | undefined): string | undefined {
  const { path = '', topic = '', node_name: node = '', target_url: url = '' } = spec.sourceResource
  const type = source?.spec.ruleEndpointType
  if (type === 'eventbus') return `eventbus ${node} ${topic.replace(/^\/+/, '')}`
  if (type === 'servicebus') return `servicebus ${node} ${url}`
  const pattern = type === 'rest' ? parsePattern(path) : 'no path'
  return typeof pattern === 'string' ? undefined : `rest ${patternKey(pattern)}`
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

function missing(field: string, type: EndpointType): FieldError {
  return { field, message: `is needed for an endpoint of type ${type}` }
}

function wrong(field: string, value: string, why: string): FieldError {
  return { field, message: `${JSON.stringify(value.slice(0, 200))}: ${why}` }
}
