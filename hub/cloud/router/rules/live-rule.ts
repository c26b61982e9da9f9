import type { Rule, RuleEndpoint } from '../../../../schemas/index.ts'
import type { PathPattern } from './path-pattern.ts'
import type { RuleSettings } from './rule-settings.ts'

/** A rule as it is now. One that changes is another one: calls that are under way end with the one with which they began. */
export interface LiveRule {
  /** `<namespace>/<name>` */
  readonly key: string
  readonly rule: Rule
  readonly source: RuleEndpoint
  readonly target: RuleEndpoint
  readonly settings: RuleSettings
  readonly pattern?: PathPattern
  /** Of an eventbus source: what is heard at which node. */
  readonly subscription?: { readonly node: string; readonly topic: string }
}
