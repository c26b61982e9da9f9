import { isTopicName } from '../../../../schemas/index.ts'
import { CallRefusal } from '../router-error.ts'
import { fillPlaces, parameterNames, placesIn } from '../rules/path-pattern.ts'
import type { PathFound } from '../rules/rule-table.ts'
import type { RequestPath } from '../serving/request-path.ts'

/**
 * The topic that a call of a REST source goes to: places are filled, and what follows the rule's path is added. Of a path with
 * parameters that the topic does not name, all is added, as KubeEdge does it.
 */
export function topicOf(found: PathFound, { segments }: RequestPath): string {
  const topic = joined(found, found.live.rule.spec.targetResource['topic'] ?? '', segments, (text) => text)
  if (isTopicName(topic)) return topic
  const message = 'the path makes no MQTT topic: it must hold no +, # or NUL'
  throw new CallRefusal({ status: 400, code: 'HUB_RULE_TOPIC', message })
}

/** The path of a local service, in the same way, with the query of the caller. */
export function servicePathOf(found: PathFound, { raw, endsInSlash, query }: RequestPath): string {
  const path = joined(found, found.live.rule.spec.targetResource['path'] ?? '', raw, encodeURIComponent)
  const end = endsInSlash && !path.endsWith('/') ? '/' : ''
  return `${path.startsWith('/') ? path : `/${path}`}${end}${query}`
}

function joined(
  { live, match }: PathFound,
  target: string,
  path: readonly string[],
  encode: (text: string) => string,
): string {
  const filled = fillPlaces(target, (name) => encode(match.parameters[name] ?? ''))
  const isUnnamed =
    live.pattern !== undefined && parameterNames(live.pattern).length > 0 && placesIn(target).length === 0
  const extra = path.slice(isUnnamed ? 0 : match.taken)
  return extra.length === 0 ? filled : `${filled.replace(/\/$/, '')}/${extra.join('/')}`
}
