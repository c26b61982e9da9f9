import { PLAIN_PREFIX } from '../../schemas/index.ts'
import { fillTemplate, placeholders } from './template.ts'

/** Whom a topic is about. */
export interface TopicScope {
  /** `namespace/name`. */
  readonly deviceId: string
  readonly property: string
  readonly base: string
  readonly variables: Readonly<Record<string, string>>
}

/** Names that topics know by themselves; own ones stand in `variables`. */
export const TOPIC_NAMES: readonly string[] = ['device', 'namespace', 'property', 'base']

/** The topic with its placeholders filled in. Throws where one is unknown, or would add levels or wildcards to the topic. */
export function fillTopic(text: string, scope: TopicScope): string {
  return fillTemplate(text, ({ name }) => resolved(name, scope, 0))
}

function resolved(name: string, scope: TopicScope, depth: number): string {
  const slash = scope.deviceId.indexOf('/')
  if (name === 'device') return scope.deviceId.slice(slash + 1)
  if (name === 'namespace') return scope.deviceId.slice(0, slash)
  if (name === 'property') return scope.property
  if (name === 'base' && depth === 0) return fillTemplate(scope.base, (inner) => resolved(inner.name, scope, 1))
  const own = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined
  if (own === undefined) throw new Error(`{${name}} is no placeholder: name it in variables of the device`)
  return own
}

/** Why a topic template can never be meant, or nothing. */
export function refuseTemplate(
  text: string,
  kind: 'filter' | 'name',
  device: { readonly base: string; readonly variables: Readonly<Record<string, string>> } | undefined,
): string | undefined {
  const names = [...placeholders(text), ...placeholders(device?.base ?? '')].map(({ name }) => name)
  const known = new Set([...TOPIC_NAMES, ...Object.keys(device?.variables ?? {})])
  const unknown = device ? names.find((name) => !known.has(name)) : undefined
  if (unknown !== undefined) return `{${unknown}} is no placeholder: name it in variables of the device`
  if (device && device.base === '' && names.includes('base')) return 'uses {base}, but the device has no base'
  const variables = device?.variables ?? {}
  const scope = { deviceId: 'namespace/device', property: 'property', base: device?.base ?? 'base', variables }
  return device ? refuseTopic(fillTopic(text, scope), kind) : undefined
}

/** MQTT 3.1.1 §4.7: filters may have wildcards, each a whole level, and # at the end alone; names none. */
export function refuseTopic(topic: string, kind: 'filter' | 'name'): string | undefined {
  if (topic === '') return 'is empty'
  if (Buffer.byteLength(topic) > 65_535) return 'is longer than 65535 bytes'
  if (topic.includes('\0')) return 'has a NUL character'
  if (kind === 'name') return /[+#]/.test(topic) ? 'has a wildcard: a message goes to one topic' : undefined
  const levels = topic.split('/')
  const isFilter = levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1
    return level === '+' || !/[+#]/.test(level)
  })
  return isFilter ? undefined : 'is no topic filter: + stands for one whole level, # for all from there on'
}

/** Topics on which the edge itself speaks: what a twin says must not come back as a reading, nor a command as a report. */
export function isOfEdge(topic: string): boolean {
  return topic.startsWith('$') || topic.startsWith('SYS/') || topic.split('/')[0] === PLAIN_PREFIX
}
