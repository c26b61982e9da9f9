import type { Rule, RuleEndpoint } from '../../../../schemas/index.ts'
import { endpointErrors, ruleErrors, sourceKey } from './check-rule.ts'
import { circleText } from './circles.ts'

/** Why a rule takes no part, or that it does; becomes condition `Accepted`. */
export interface Verdict {
  readonly accepted: boolean
  readonly reason: 'Accepted' | 'EndpointMissing' | 'Invalid' | 'Duplicate' | 'Circle'
  readonly message: string
}

export const FOLLOWED: Verdict = { accepted: true, reason: 'Accepted', message: 'the rule is followed' }

/** Of a rule among those of its namespace; `heard`: what older ones hear, to which this one is added. */
export function judge(
  rule: Rule,
  ends: { readonly source: RuleEndpoint | undefined; readonly target: RuleEndpoint | undefined },
  heard: Map<string, Rule>,
): Verdict {
  const { source, target } = ends
  const absent = [source ? '' : rule.spec.source, target ? '' : rule.spec.target].filter((name) => name !== '')
  if (absent.length > 0)
    return { accepted: false, reason: 'EndpointMissing', message: `there is no RuleEndpoint ${absent.join(', ')}` }
  const errors = [
    ...ruleErrors(rule, ends),
    ...[source, target].flatMap((endpoint) =>
      (endpoint ? endpointErrors(endpoint) : []).map(({ field, message }) => ({
        field: `RuleEndpoint ${endpoint?.metadata.name}: ${field}`,
        message,
      })),
    ),
  ]
  if (errors.length > 0) {
    const message = errors.map(({ field, message }) => `${field}: ${message}`).join(', ')
    return { accepted: false, reason: 'Invalid', message }
  }
  const key = sourceKey(rule, source) ?? ''
  const first = heard.get(key)
  if (first) {
    const message = `rule ${first.metadata.name}, which is older, hears the same: change one of them, or delete it`
    return { accepted: false, reason: 'Duplicate', message }
  }
  heard.set(key, rule)
  return FOLLOWED
}

/** Of one that is good, but closes a circle with older ones. */
export function closesCircle(circle: readonly string[]): Verdict {
  const message = `a message would go round for ever, by rules ${circleText(circle)}: change a topic, or delete one of them`
  return { accepted: false, reason: 'Circle', message }
}

/** The oldest first. */
export function byAge({ metadata: one }: Rule, { metadata: other }: Rule): number {
  const created = String(one.creationTimestamp ?? '').localeCompare(String(other.creationTimestamp ?? ''))
  const nameOf = ({ namespace = 'default', name }: Rule['metadata']) => `${name}/${namespace}`
  return created !== 0 ? created : nameOf(one).localeCompare(nameOf(other))
}
