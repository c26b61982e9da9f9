import type { KubeObject, Rule, RuleEndpoint } from '../../../schemas/index.ts'
import { type Informer, keyOf, RULE_ENDPOINTS, RULES } from '../kubernetes/index.ts'
import { endpointErrors, ruleErrors, sourceKey } from '../router/rules/check-rule.ts'
import { settingTexts } from '../router/rules/rule-settings.ts'
import type { FieldError } from './field-error.ts'

/** What stands beside a rule. It may be a moment old: condition `Accepted` stands behind this. */
export interface RuleLookup {
  readonly rules: Pick<Informer<Rule>, 'list'>
  readonly endpoints: Pick<Informer<RuleEndpoint>, 'get'>
}

/** Annotations that are judged, as they stand. */
export function ruleSettingsOf(object: KubeObject): readonly (string | undefined)[] {
  return RULES.accepts(object) && object.kind === 'Rule' ? settingTexts(object) : []
}

/** What is wrong with a Rule or RuleEndpoint; undefined for any other object. */
export function ruleObjectErrors(
  object: KubeObject,
  namespace: string,
  { rules, endpoints }: RuleLookup,
): readonly FieldError[] | undefined {
  if (object.kind === 'RuleEndpoint' && RULE_ENDPOINTS.accepts(object)) return endpointErrors(object)
  if (object.kind !== 'Rule' || !RULES.accepts(object)) return undefined
  const rule: Rule = { ...object, metadata: { ...object.metadata, namespace } }
  const source = endpoints.get({ namespace, name: rule.spec.source })
  const target = endpoints.get({ namespace, name: rule.spec.target })
  const errors = ruleErrors(rule, { source, target })
  if (errors.length > 0) return errors
  const key = sourceKey(rule, source)
  const twin = rules.list().find((other) => {
    const isOther = other.metadata.namespace === namespace && keyOf(other) !== keyOf(rule)
    return (
      isOther && key !== undefined && other.spec.source !== '' && sourceKey(other, sourceOf(other, endpoints)) === key
    )
  })
  return twin ? [{ field: 'spec.sourceResource', message: `rule ${twin.metadata.name} hears the same already` }] : []
}

function sourceOf({ metadata, spec }: Rule, endpoints: RuleLookup['endpoints']): RuleEndpoint | undefined {
  return endpoints.get({ namespace: metadata.namespace ?? 'default', name: spec.source })
}
